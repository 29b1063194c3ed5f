/** How the formatter lays a file out. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { format } from '../../src/dsl/print.ts';

const print = suite('format');

function formatted(text: string): string {
  const result = format({ path: 'x.apf', text });
  if (!('text' in result)) throw new Error(result.diagnostics.map(each => each.message).join('\n'));
  return result.text;
}

function check(before: string, after: string): void {
  assert.is(formatted(before), after);
  assert.is(formatted(after), after);
}

print('spaces between tokens follow from the tokens', () => {
  check(
    `expect   count ( v in web . vcpus :v is halted ( synthetic ) )>=- 1
evict web.heap.pages( 1 .. 3 )
at 10Gbit/s   mark "a  b"
let x=[ 5k,20k ]pages/s
let y = 40k  pages/s+200k/s*( 1 ms-2us ) / 3
`,
    `expect count(v in web.vcpus: v is halted(synthetic)) >= -1
evict web.heap.pages(1..3)
at 10 Gbit/s mark "a  b"
let x = [5k, 20k] pages/s
let y = 40k pages/s + 200k/s * (1ms - 2us) / 3
`,
  );
});

print('blocks on one line stay on one, others are indented', () => {
  check(
    `host h0 {cpus 1;ram 512MiB
      workers 2
swap nvme {size 1GiB;depth 32}}
case "x" {}
any { mark "a"|mark "b" }
any {
mark "a"
| mark "b" }
`,
    `host h0 {
  cpus 1; ram 512MiB
  workers 2
  swap nvme { size 1GiB; depth 32 }
}
case "x" { }
any { mark "a" | mark "b" }
any {
  mark "a"
  | mark "b"
}
`,
  );
});

print('what belongs together is lined up, comments too; blank lines come singly', () => {
  check(
    `


param mem=8GiB
param overcommit = 150%



at 0us evict cold # out
at 100us   db reads cold      # and in again
variant a extends v6
variant longer extends v6
`,
    `param mem        = 8GiB
param overcommit = 150%

at 0us   evict cold     # out
at 100us db reads cold  # and in again
variant a      extends v6
variant longer extends v6
`,
  );
});

print('comments keep their place, wherever that is', () => {
  check(
    `# first

language 1 # one
   # between
case "x" {# open
# inside
mark "a" # last
# end
}
expect no: web.vcpu[0] is runnable # why
    # because of this
  unless variant in [v6] # reason
# the end`,
    `# first

language 1  # one
# between
case "x" {  # open
  # inside
  mark "a"  # last
  # end
}
expect no: web.vcpu[0] is runnable  # why
  # because of this
  unless variant in [v6]  # reason
# the end
`,
  );
});

print('a judgement may begin below its name', () => {
  check(
    'always named:   # why\n\n   web.vcpu[0].queued<=64\nexpect reads:\n\tready( cold )\n unless variant in [v6]\n',
    `always named:  # why
  web.vcpu[0].queued <= 64
expect reads:
  ready(cold)
  unless variant in [v6]
`,
  );
});

print('a file that does not parse is left alone', () => {
  const result = format({ path: 'x.apf', text: 'expect\n' });
  assert.ok('diagnostics' in result && result.diagnostics.length === 1);
});

print('line ends of other systems, and no newline at the end', () => {
  check('language 1\r\ntitle "x"\r\n\r\n\r\nmark "y"', 'language 1\ntitle "x"\n\nmark "y"\n');
  check('', '');
  check('# only this', '# only this\n');
});

for (const folder of ['scenarios', 'litmus', 'std']) {
  const root = new URL(`../../${folder}/`, import.meta.url);
  const files = existsSync(root)
    ? readdirSync(root, { recursive: true })
        .map(String)
        .filter(each => each.endsWith('.apf'))
    : [];
  print(`all of ${folder}/ is as the formatter would have it`, () => {
    for (const file of files) {
      const text = readFileSync(new URL(file, root), 'utf8');
      assert.is(formatted(text), text, `${folder}/${file}: apflab fmt ${folder}/${file}`);
    }
  });
}

print.run();
