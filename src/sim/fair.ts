/** Who may be said to get a turn some time, if he could have it all the time: words for `fair`, and what each means. */
export const FAIR = {
  vcpus: 'the threads of vCPUs, and with them what the guest executes',
  workers: "the host's workers, which bring missing pages",
  scheduler: 'whoever a scheduler may pick: the threads of vCPUs, and in a guest each of several equal tasks',
  timers: 'a sleep of a task, or of a thread that is slowed down, ends',
} as const;

export type FairWord = keyof typeof FAIR;
export const FAIR_WORDS = Object.keys(FAIR) as readonly FairWord[];
