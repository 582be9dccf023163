/** What a `<script>` tag gets, as the global `SloHub`. */
export { withAuth0 } from './auth0.js';
export { endFrontchannelSession, markFrontchannelStorage } from './frontchannel.js';
export { createSlo, SloError } from './index.js';
