/**
 * What an app's page for front-channel logout can say to the page around it. The hub's page
 * answers "ready" with a nonce; what comes next is this frame's to say.
 */

/** As the SDK does: waits for the word, and answers; with one message or several. */
export function answering(...says) {
  if (says.length === 0) says = [`{ type: 'slo-frontchannel-done', nonce }`];
  return framePage(`
    addEventListener('message', ({ source, data }) => {
      if (source !== parent || data?.type !== 'slo-frontchannel-logout') return;
      const { nonce } = data;
      for (const answer of [${says.join(', ')}]) parent.postMessage(answer, '*');
    });
    parent.postMessage({ type: 'slo-frontchannel-ready' }, '*');`);
}

/** Runs a script of its own in the frame. */
export function framePage(script) {
  return `<h1>A frame</h1><script>${script}</script>`;
}
