import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EventQueue, NEVER_NS, nodesFor } from '../../src/base/event_queue.ts';

function queueOver(sources: number, counter = new Float64Array(1)): EventQueue {
  const nodes = nodesFor(sources);
  const queue = new EventQueue(
    sources,
    new Float64Array(nodes),
    new Float64Array(nodes),
    new Uint32Array(nodes),
    counter,
  );
  queue.clear();
  return queue;
}

/** Every event in a list; the earliest by time, then by when it was armed. */
class Plain {
  readonly #pending = new Map<number, { ns: number; order: number }>();
  #order = 0;

  arm(source: number, ns: number): void {
    this.#order += 1;
    this.#pending.set(source, { ns, order: this.#order });
  }
  disarm(source: number): void {
    this.#pending.delete(source);
  }
  get next(): readonly [source: number, ns: number] | null {
    const sorted = [...this.#pending].sort(([, a], [, b]) => a.ns - b.ns || a.order - b.order);
    const [first] = sorted;
    return first ? [first[0], first[1].ns] : null;
  }
}

test('the same as a list that is sorted each time', () => {
  const act = fc.tuple(fc.nat(), fc.option(fc.nat(20)));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 90 }), fc.array(act, { maxLength: 200 }), (sources, acts) => {
      const queue = queueOver(sources);
      const plain = new Plain();
      for (const [number, ns] of acts) {
        const source = number % sources;
        if (ns === null) {
          queue.disarm(source);
          plain.disarm(source);
        } else {
          queue.arm(source, ns);
          plain.arm(source, ns);
        }
        const next = queue.next_ns === NEVER_NS ? null : [queue.nextSource, queue.next_ns];
        assert.equal(next, plain.next);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('nothing pending', () => {
  const queue = queueOver(5);
  assert.is(queue.next_ns, NEVER_NS);
  queue.arm(3, 10);
  assert.is(queue.dueNs(3), 10);
  queue.disarm(3);
  queue.disarm(3);
  assert.is(queue.next_ns, NEVER_NS);
  assert.is(queue.dueNs(3), NEVER_NS);
});

test('queues that share a counter agree on who came first', () => {
  const counter = new Float64Array(1);
  const one = queueOver(2, counter);
  const other = queueOver(2, counter);
  other.arm(0, 7);
  one.arm(0, 7);
  assert.ok(other.nextOrder < one.nextOrder);
  other.arm(0, 7);
  assert.ok(one.nextOrder < other.nextOrder);
});

test.run();
