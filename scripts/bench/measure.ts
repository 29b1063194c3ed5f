/** What every measurement needs: CPU time, and random numbers that cost next to nothing. */

/** CPU time of the whole process, its compiler and collector threads too, in nanoseconds. */
export function cpuNs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1e3;
}

export function xorshift(): () => number {
  const state = new Uint32Array([123_456_789]);
  return () => {
    let x = state[0]!;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    state[0] = x;
    return x >>> 0;
  };
}

/** 64 Ki delays of an exponential distribution. */
export function exponentialTable(mean: number): Uint32Array {
  const random = xorshift();
  return Uint32Array.from({ length: 0x1_0000 }, () => Math.floor(-Math.log((random() + 1) / 2 ** 32) * mean) + 1);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
