/** The results of a test run as JUnit XML, the form that CI services read. */
import type { FileResult } from './test_file.ts';

const ENTITY: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for an attribute or an element: XML 1.0 has no way to write most control characters, so they go. */
function xml(text: string): string {
  return text.replace(/[&<>"]/g, each => ENTITY[each] ?? each).replace(/[^\P{Cc}\n\t]/gu, '');
}

export function junit(results: readonly FileResult[]): string {
  const suites = results.map(({ file, ms, cases, output }) => {
    const failed = cases.filter(({ error }) => error !== null).length;
    const body = cases.map(({ name, ms, error }) => {
      const open = `<testcase classname="${xml(file)}" name="${xml(name)}" time="${ms / 1000}"`;
      return error === null ? `    ${open}/>` : `    ${open}><failure message="${xml(error)}"/></testcase>`;
    });
    const said = failed > 0 ? [`    <system-out>${xml(output)}</system-out>`] : [];
    const head = `  <testsuite name="${xml(file)}" tests="${cases.length}" failures="${failed}" time="${ms / 1000}">`;
    return [head, ...body, ...said, '  </testsuite>'].join('\n');
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites, '</testsuites>', ''].join('\n');
}
