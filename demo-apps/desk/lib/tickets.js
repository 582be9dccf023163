const HOUR = 60 * 60 * 1000;

/** What customers have written, newest first. */
const TICKETS = [
  { id: 1284, subject: 'The lamp flickers when I dim it', from: 'Rosalind Franklin', state: 'open', hoursAgo: 1 },
  { id: 1283, subject: 'May I change the delivery address?', from: 'Emmy Noether', state: 'open', hoursAgo: 3 },
  { id: 1279, subject: 'Two bowls came, I had ordered three', from: 'Alan Turing', state: 'waiting', hoursAgo: 20 },
  { id: 1276, subject: 'How do I care for the fern in winter?', from: 'Barbara McClintock', state: 'open', hoursAgo: 27 },
  { id: 1271, subject: 'An invoice with our company’s name, please', from: 'Dorothy Hodgkin', state: 'solved', hoursAgo: 49 },
  { id: 1268, subject: 'The carafe’s stopper does not fit', from: 'Edsger Dijkstra', state: 'solved', hoursAgo: 74 },
];

/** @param {number} now in ms since 1970 */
export function ticketsAt(now) {
  return TICKETS.map(({ hoursAgo, ...ticket }) => ({ ...ticket, writtenAt: new Date(now - hoursAgo * HOUR) }));
}
