import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  array,
  bool,
  compileSchema,
  fifo,
  inRecord,
  layOut,
  numbered,
  oneOf,
  table,
  u8,
  u16,
  u32,
  u53,
} from '../../src/base/table.ts';

const STATE = numbered(['IDLE', 'BUSY']);
const schema = {
  thing: table(
    {
      state: oneOf(STATE),
      flag: bool,
      small: u8,
      middle: u16,
      large: u32,
      address: u53,
      list: array(u32, 3),
      queue: fifo('most', 'node'),
    },
    { count: u32, clock_ns: u53 },
  ),
  other: table({ large: u32 }),
} as const;
const compiled = compileSchema(schema);
const sizes = { rows: { thing: 3, other: 2 }, lengths: { most: 4 } };

test('a row is a window: what is written through it is in the table, and in no other row', () => {
  const layout = layOut(compiled, sizes);
  const rows = layout.rows('thing');
  for (const row of rows) {
    row.state = STATE.BUSY;
    row.small = 200 + row.id;
    row.middle = 60_000 + row.id;
    row.large = 4_000_000_000 + row.id;
    row.address = 0x7fea_0000_0000 + row.id;
    for (let index = 0; index < 3; index += 1) row.set_list(index, 10 * row.id + index);
    row.count = row.id;
  }
  rows.forEach((row, id) => {
    assert.is(row.id, id);
    assert.is(layout.tables.thing.state(id), STATE.BUSY);
    assert.is(row.small, 200 + id);
    assert.is(row.middle, 60_000 + id);
    assert.is(row.large, 4_000_000_000 + id);
    assert.is(row.address, 0x7fea_0000_0000 + id);
    assert.equal(
      [0, 1, 2].map(index => row.list(index)),
      [0, 1, 2].map(index => 10 * id + index),
    );
    assert.is(layout.tables.thing.count(id), id);
  });
  assert.equal([layout.tables.other.large(0), layout.tables.other.large(1)], [0, 0]);
});

test('a copy of the buffer is a snapshot, and rows stay valid when it is put back', () => {
  const layout = layOut(compiled, sizes);
  const row = layout.row('thing', 1);
  row.queue.push(2);
  row.address = 5;
  const snapshot = layout.buffer.slice(0);
  row.queue.push(0);
  row.address = 6;
  new Uint8Array(layout.buffer).set(new Uint8Array(snapshot));
  assert.equal(row.queue.toArray(), [2]);
  assert.is(row.address, 5);
});

test('counters and clocks are outside of the hashed bytes, states inside', () => {
  const layout = layOut(compiled, sizes);
  const hashed = () => Buffer.from(layout.buffer, 0, layout.hashed_bytes).toString('hex');
  const before = hashed();
  const row = layout.row('thing', 2);
  row.count = 7;
  row.clock_ns = 7;
  assert.is(hashed(), before);
  row.flag = 1;
  assert.is.not(hashed(), before);
  row.flag = 0;
  assert.is(hashed(), before);
});

test('equal queues have equal bytes, however they came to be', () => {
  const layout = layOut(compiled, sizes);
  const [a, b] = layout.rows('thing');
  for (const id of [1, 2, 0]) a?.queue.push(id);
  for (const id of [2, 1, 2, 0]) b?.queue.push(id);
  assert.is(b?.queue.shift(), 2);
  assert.ok(b?.queue.remove(2) && b.queue.remove(1) && b.queue.remove(0) && !b.queue.remove(0));
  for (const id of [1, 2, 0]) b?.queue.push(id);
  const bytes = new Uint16Array(layout.buffer);
  assert.equal(a?.queue.toArray(), b?.queue.toArray());
  const runs = [...bytes.keys()].filter(
    at => bytes[at] === 2 && bytes[at + 1] === 3 && bytes[at + 2] === 1 && bytes[at + 3] === 0,
  );
  assert.is(runs.length, 2);
});

test('a queue says when it is full and when it is empty', () => {
  const { queue } = layOut(compiled, sizes).row('thing', 0);
  assert.is(queue.shift(), -1);
  for (const id of [0, 1, 2, 3]) queue.push(id);
  assert.throws(() => queue.push(4), /full at 4/);
  assert.ok(queue.has(3) && !queue.has(4));
  assert.is(queue.at(2), 2);
});

test('the recording flavour tells of every access, and does the same', () => {
  const seen: string[] = [];
  const named = (field: number) => compiled.fields[field]?.name ?? '';
  const layout = layOut(compiled, sizes, {
    read: (field, id) => seen.push(`read ${named(field)}[${id}]`),
    write: (field, id) => seen.push(`write ${named(field)}[${id}]`),
  });
  const row = layout.row('thing', 1);
  row.large = 9;
  row.large += 1;
  row.set_list(2, 4);
  row.queue.push(0);
  assert.is(layout.tables.thing.large(1), 10);
  assert.equal(seen, [
    'write large[1]',
    'read large[1]',
    'write large[1]',
    'write list[1]',
    'write queue[1]',
    'read large[1]',
  ]);
});

test('columns can be had whole, each with its own kind', () => {
  const layout = layOut(compiled, sizes);
  layout.words('thing', 'large')[1] = 3;
  layout.floats('thing', 'clock_ns')[0] = 1.5;
  assert.is(layout.row('thing', 1).large, 3);
  assert.is(layout.row('thing', 0).clock_ns, 1.5);
  assert.throws(() => layout.floats('thing', 'large'));
  assert.throws(() => layout.column('thing', 'nothing'));
});

test('tables of one record stand together, row by row, and each is as it would be alone', () => {
  const inPages = {
    other: table({ large: u32 }),
    page: inRecord('page', { pte: u32, owner: u32 }),
    leaf: inRecord('page', { entry: u32 }),
  } as const;
  const pages = compileSchema(inPages);
  const { tables, column, hashed_bytes, buffer } = layOut(pages, {
    rows: { other: 3, page: 4, leaf: 4 },
    lengths: {},
  });
  for (let id = 0; id < 4; id += 1) {
    tables.page.set_pte(id, 100 + id);
    tables.page.set_owner(id, 200 + id);
    tables.leaf.set_entry(id, 300 + id);
  }
  tables.other.set_large(2, 7);
  const { values, first, step, length } = column('leaf', 'entry');
  assert.equal([first, step, length], [2, 3, 1]);
  assert.equal([...values], [100, 200, 300, 101, 201, 301, 102, 202, 302, 103, 203, 303]);
  assert.equal([tables.page.pte(3), tables.page.owner(3), tables.leaf.entry(3)], [103, 203, 303]);
  assert.is(hashed_bytes, buffer.byteLength);
  assert.is(hashed_bytes, (3 + 4 * 3 + 1) * 4); // And a word, to a multiple of 8 bytes.
  assert.throws(() => layOut(pages, { rows: { other: 3, page: 4, leaf: 5 }, lengths: {} }));
});

test.run();
