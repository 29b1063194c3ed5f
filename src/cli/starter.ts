/** The scenario that `apflab init` writes: small, commented, passes. */
export const STARTER = `language 1
title "My first asynchronous page fault"

# A machine: one CPU, a little memory, and a swap device that takes its time.
host h0 {
  cpus 1; ram 64MiB
  workers 2  # kernel threads that complete page-ins
  swap disk { size 256MiB; read fixed(3ms); depth 8 }
}

# A guest with two tasks: db will touch a page that is in swap, shell only computes.
vm web on h0 {
  ram 16MiB; vcpus 1
  protocol linux_6_12  # others: apflab protocols
  guest {
    apf on
    task db    on vcpu[0] user { loop { work 20us } }
    task shell on vcpu[0] user { loop { work 50us } }
    timer tick every 1ms on vcpu[0] { reschedule }
  }
}

let cold = web.heap.page(17)
limit time 20ms

case "the other task runs meanwhile" {
  at 0us   evict cold     # to swap
  at 100us db reads cold  # a major fault

  expect order not_present(cold) -> switch_to(shell) -> ready(cold) -> switch_to(db)
  never blocked: swap_wait(cold) by thread(web.vcpu[0])
  eventually resumes(db) within 2ms after ready(cold)
}

# To try: change the protocol to sync, or run with  --variants v6,sync,linux_6_12
`;
