/** The scenarios of scenarios/explore as runs, on all variants besides those that they name. */
import { test } from 'uvu';
import { scenariosIn, testOnOtherVariants } from './corpus.ts';

testOnOtherVariants(scenariosIn('scenarios/explore', 10));

test.run();
