/** What a `<script>` tag gets: the elements, ready to use. */
import { defineElements } from './elements.js';

defineElements();
