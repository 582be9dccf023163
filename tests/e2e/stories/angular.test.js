import { tellStoriesOf } from './frameworks.js';

tellStoriesOf('angular');
