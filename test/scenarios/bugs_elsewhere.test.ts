/** The scenarios of scenarios/bugs, on all variants besides those that they name. */
import { test } from 'uvu';
import { scenariosIn, testOnOtherVariants } from './corpus.ts';

testOnOtherVariants(scenariosIn('scenarios/bugs'));

test.run();
