/**
 * When two explored states are one: the machine means the same, the judgements remember the same, as much has been spent.
 */
import { assert } from '../base/assert.ts';
import { Meaning } from '../sim/meaning.ts';
import { compiledSchema, type S } from '../sim/schema.ts';
import { mostBytes, putWord, write } from './packing.ts';
import { Symmetry } from './symmetry.ts';
import type { World } from './world.ts';

interface Cleared {
  readonly values: Uint8Array | Uint16Array | Uint32Array;
  readonly first: number;
  readonly step: number;
}

export class Identity {
  /** The fingerprint of the state that update() looked at. */
  high = 0;
  low = 0;
  /** What pack() wrote. */
  whole = new Uint8Array(0);
  readonly #world: World;
  readonly #meaning: Meaning;
  /** The words of the first state. */
  readonly #first: Uint32Array;
  #nothing = new Uint32Array(0);
  /** Columns to clear, since what is in them cannot matter. */
  readonly #cleared: readonly Cleared[];
  /** Null where every vCPU keeps its place. */
  readonly symmetry: Symmetry | null;
  /** Numbers beside the machine, of the state that update() looked at. */
  #beside = 0;

  /** `exchanges`: whether vCPUs may change places. */
  constructor(world: World, irrelevant: ReadonlySet<string>, exchanges = false) {
    this.#world = world;
    this.#meaning = new Meaning(world.m);
    this.#meaning.update();
    this.#first = this.#meaning.words.slice();
    this.#cleared = [...irrelevant].flatMap(name => {
      const [table = '', field = ''] = name.split('.');
      // A queue that cannot matter is empty between two steps.
      if (compiledSchema.fields[compiledSchema.fieldNumber(name)!]!.kind.shape === 'fifo') return [];
      const { values, first, step } = world.m.layout.column(table as keyof S & string, field);
      assert(!(values instanceof Float64Array), `identity: ${name} has integers`);
      const Values = values.constructor as Uint32ArrayConstructor;
      return { values: new Values(this.#meaning.words.buffer, values.byteOffset, values.length), first, step };
    });
    this.symmetry = exchanges ? Symmetry.of(world, this.#meaning, irrelevant) : null;
  }

  /** Looks at the world as it stands. */
  update(): void {
    this.#meaning.update();
    for (const { values, first, step } of this.#cleared)
      for (let at = first; at < values.length; at += step) values[at] = 0;
    this.#beside = this.#world.readBeside();
    this.symmetry?.canonicalise();
    this.high = 0x811c_9dc5 | 0;
    this.low = 0x9e37_79b9 | 0;
    this.#mix(this.#meaning.words, this.#meaning.words.length, this.#first);
    const length = this.#beside * 2;
    if (this.#nothing.length < length) this.#nothing = new Uint32Array(2 * length);
    this.#mix(this.#world.beside.words, length, this.#nothing);
    const high = Math.imul(this.high ^ this.low, 0x85eb_ca6b);
    const low = Math.imul(this.low ^ (high >>> 15), 0xc2b2_ae35);
    this.high = (high ^ (high >>> 16)) >>> 0;
    this.low = (low ^ (low >>> 13)) >>> 0;
  }

  /** Writes all that tells the state that update() looked at from others from the front of `whole`, and returns how many bytes it takes. */
  pack(): number {
    const { words } = this.#meaning;
    const beside = this.#beside * 2;
    const most = mostBytes(words.length + beside);
    if (this.whole.length < most) this.whole = new Uint8Array(most);
    putWord(this.whole, 0, beside);
    const middle = write(this.whole, words, words.length, this.#first, 4);
    return write(this.whole, this.#world.beside.words, beside, this.#nothing, middle);
  }

  /** Mixes in the words that are not as at first, with where they are: most of a world never changes. */
  #mix(words: Uint32Array, length: number, first: Uint32Array): void {
    let { high, low } = this;
    for (let index = 0; index < length; index += 1) {
      const word = words[index]! | 0;
      if (word === (first[index]! | 0)) continue;
      high = (Math.imul(high ^ word, 0x85eb_ca6b) + index) | 0;
      high ^= high >>> 13;
      low = Math.imul((low + word) | 0, 0xc2b2_ae35) ^ (low >>> 16) ^ Math.imul(index, 0x9e37_79b1);
    }
    this.high = high;
    this.low = low;
  }
}
