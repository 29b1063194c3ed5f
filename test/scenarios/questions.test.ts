/** The scenarios of scenarios, on the variants that they name. */
import { test } from 'uvu';
import { scenariosIn, testScenarios } from './corpus.ts';

testScenarios(scenariosIn('scenarios'));

test.run();
