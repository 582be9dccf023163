/** What a `<script>` tag gets: `<slo-signed-out>`, ready to use. */
import { defineElements } from './elements.js';

defineElements();
