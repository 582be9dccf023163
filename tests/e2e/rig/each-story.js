import { afterEach, beforeEach } from 'vitest';
import { beginVisits, endVisits } from './visits.js';

// Each page draws itself sixty times a second for as long as it is open: those of a story end with it.
beforeEach(beginVisits);
afterEach(endVisits);
