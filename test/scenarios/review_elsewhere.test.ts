/** The scenarios of scenarios/review, on all variants besides those that they name. */
import { test } from 'uvu';
import { scenariosIn, testOnOtherVariants } from './corpus.ts';

testOnOtherVariants(scenariosIn('scenarios/review'));

test.run();
