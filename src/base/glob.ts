/** Names with stars: `kvm_async_pf_*`. */
export function globMatches(glob: string, name: string): boolean {
  const [head = '', ...rest] = glob.split('*');
  if (rest.length === 0) return glob === name;
  const tail = rest.pop() ?? '';
  if (!name.startsWith(head) || !name.endsWith(tail) || name.length < head.length + tail.length) return false;
  let from = head.length;
  for (const part of rest) {
    const found = name.indexOf(part, from);
    if (found < 0 || found + part.length > name.length - tail.length) return false;
    from = found + part.length;
  }
  return true;
}
