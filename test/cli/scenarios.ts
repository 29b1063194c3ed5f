/** Small scenarios for the tests of the command line, one for each way to end. */
const MACHINE = `language 1
param latency = 3ms
host h0 { cpus 1; ram 16MiB; workers 2; swap disk { size 64MiB; read fixed(latency); depth 8 } }
vm web on h0 {
  ram 4MiB; vcpus 1; protocol linux_6_12
  guest {
    apf on
    task db on vcpu[0] user { loop { work 20us } }
  }
}
let cold = web.heap.page(17)
`;

function scenario(body: string): string {
  return `${MACHINE}\n${body}`;
}

const FAULT = `  at 0us evict cold
  at 100us db reads cold
`;

export const PASSES = scenario(`tags quick\ncase "a page comes back" {\n${FAULT}  eventually back: ready(cold)\n}`);
export const FAILS = scenario(`case "it is quick" {\n${FAULT}  expect quick: ready(cold) by 1ms\n}`);
export const EXPECTED = scenario(`case "known to fail" {\n${FAULT}  expect quick: ready(cold) by 1ms
  expect fail of quick on variant linux_6_12 because "the disk takes 3ms"\n}`);
export const SURPRISES = scenario(`case "said to fail" {\n${FAULT}  eventually back: ready(cold)
  expect fail of back on variant linux_6_12 because "nobody tried"\n}`);
export const UNDECIDED = scenario(`limit steps 50\ncase "cut short" {\n${FAULT}  eventually back: ready(cold)\n}`);
export const INVALID = scenario(`case "wrong" {\n  at 5MiB evict cold\n  expect ready(nothing)\n}`);
/** Some seconds of work for two tasks: long enough to be interrupted. */
export const LONG = scenario(`limit time 60s\ncase "long" {\n${FAULT}  eventually back: ready(cold)\n}`);
/** More orders than anybody waits for. */
export const WIDE = `language 1
host h { cpus 2; ram 1MiB; workers 3; swap d { size 1MiB; read fixed(100us); depth 4; readahead 2 pages } }
vm t on h {
  ram 256KiB; vcpus 3
  guest {
    apf on; heap 128KiB
    task a on vcpu[0] user { read page(1); read page(10); done }
    task b on vcpu[1] user { read page(4); read page(13); done }
    task c on vcpu[2] user { read page(7); read page(16); done }
  }
}
evict t.heap.pages(0..17)
case "wide" { never stuck: deadlock }
`;
export const MATRIX = scenario(`run on variants [v6, linux_6_12]
case "first" {
  matrix { chip in [kernel, user]; ints in [allowed, blocked] }
  set web.irqchip = chip
  at 95us interrupts web.vcpu[0] ints
${FAULT}  expect done: completed(cold) iff took_apf(cold)
}
case "second" {
${FAULT}  expect done: completed(cold) iff took_apf(cold)
}`);
