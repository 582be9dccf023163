/** How the visits that began in the current story are ended; undefined between stories. */
let ends;

/** Until `endVisits`, who comes leaves again. */
export function beginVisits() {
  ends = [];
}

/** For whoever comes: what to do when the story is over. Who came before the stories stays for all of them. */
export function leaveWithStory(end) {
  ends?.push(end);
}

/** Nobody waits for it: what a page still does on its way out disturbs no other story's person, and the world ends with all. */
export function endVisits() {
  for (const end of ends) end().catch(() => undefined);
  ends = undefined;
}
