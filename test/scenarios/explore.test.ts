/** The scenarios of scenarios/explore as runs, on the variants that they name. */
import { test } from 'uvu';
import { scenariosIn, testScenarios } from './corpus.ts';

testScenarios(scenariosIn('scenarios/explore', 10));

test.run();
