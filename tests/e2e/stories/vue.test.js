import { tellStoriesOf } from './frameworks.js';

tellStoriesOf('vue');
