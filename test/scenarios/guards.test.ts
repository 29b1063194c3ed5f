/** The scenarios of scenarios/guards as runs, on all variants; what mutation finds in them is test/explore/mutate.test.ts. */
import { test } from 'uvu';
import { scenariosIn, testOnOtherVariants, testScenarios } from './corpus.ts';

const files = scenariosIn('scenarios/guards', 9);
testScenarios(files);
testOnOtherVariants(files);

test.run();
