/** The scenarios of scenarios/bugs, on the variants that they name. */
import { test } from 'uvu';
import { scenariosIn, testScenarios } from './corpus.ts';

testScenarios(scenariosIn('scenarios/bugs'));

test.run();
