/**
 * Which states of a graph can be reached from one another: Tarjan's algorithm, without recursion.
 *
 * `to` holds where the edges lead, those of state s from `begin[s]` up to `begin[s + 1]`.
 */
export function components(begin: Numbers, to: Numbers): readonly (readonly number[])[] {
  const size = begin.length - 1;
  const index = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const on_stack = new Uint8Array(size);
  const stack: number[] = [];
  const found: number[][] = [];
  let next = 0;
  for (let root = 0; root < size; root += 1) {
    if (index[root] !== -1) continue;
    const calls = [{ state: root, edge: begin[root]! }];
    for (let call = calls.at(-1); call; call = calls.at(-1)) {
      const { state } = call;
      if (index[state] === -1) {
        index[state] = next;
        low[state] = next;
        next += 1;
        stack.push(state);
        on_stack[state] = 1;
      }
      if (call.edge < begin[state + 1]!) {
        const target = to[call.edge]!;
        call.edge += 1;
        if (index[target] === -1) calls.push({ state: target, edge: begin[target]! });
        else if (on_stack[target]) low[state] = Math.min(low[state]!, index[target]!);
        continue;
      }
      calls.pop();
      const caller = calls.at(-1);
      if (caller) low[caller.state] = Math.min(low[caller.state]!, low[state]!);
      if (low[state] !== index[state]) continue;
      const component = stack.splice(stack.lastIndexOf(state));
      for (const each of component) on_stack[each] = 0;
      if (component.length > 1 || to.slice(begin[state]!, begin[state + 1]!).includes(state)) found.push(component);
    }
  }
  return found;
}

type Numbers = readonly number[] | Uint32Array;
