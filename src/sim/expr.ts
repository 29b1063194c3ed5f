/**
 * Expressions of a Program: what judgements, triggers and reports ask of a run. Plain data, as the Program is.
 *
 * `src/sim/judge` gives them their meaning.
 */

/** One of the scenario's marks, by its text. */
export interface Mark {
  readonly kind: 'mark';
  readonly name: string;
}

/** A call such as `not_present(p)`; `args` are null for "any". Names: see src/sim/observe.ts. */
export interface EventPattern {
  readonly name: string;
  readonly args: readonly (Entity | Mark | null)[];
  /** `by thread(x)`: only where that thread did it. */
  readonly by: Actor | null;
}

/** A thread that the scenario knows, or whichever worker has taken up the item of a page. */
export type Actor = Entity | WorkerOf;

/** `worker(cold)`: which thread of the host that is, each item finds out anew. */
export interface WorkerOf {
  readonly kind: 'worker';
  readonly page: Entity;
  readonly name: string;
}

/** Something that exists in the machine. `vm` is the VM's index (0 where the kind has none); ids count within it. */
export interface Entity {
  readonly kind:
    | 'host'
    | 'swap'
    | 'vm'
    | 'vcpu'
    | 'task'
    | 'page'
    | 'irq'
    | 'timer'
    | 'nmi'
    | 'thread'
    | 'saved'
    | 'saved_vcpu'
    | 'migration'
    | 'link'
    | 'handler';
  readonly vm: number;
  readonly id: number;
  /** As written, for messages. */
  readonly name: string;
}

export type Dimension =
  | 'none'
  | 'time'
  | 'bytes'
  | 'pages'
  | 'rate'
  | 'bandwidth'
  | 'page_rate'
  | 'frequency'
  | 'percent';

/**
 * Expressions, evaluated by src/sim/judge. Times are ns, sizes bytes, rates per second.
 * Whatever depends only on parameters and the variant is folded away before it gets here.
 */
export type Expr =
  | { readonly k: 'number'; readonly value: number; readonly dim: Dimension }
  | { readonly k: 'bool'; readonly value: boolean }
  /** A state's name, such as RUNNABLE, or a word such as `synthetic`. */
  | { readonly k: 'word'; readonly value: string }
  | { readonly k: 'text'; readonly value: string }
  | { readonly k: 'entity'; readonly entity: Entity }
  /** The variable of an enclosing quantifier. */
  | { readonly k: 'variable'; readonly name: string }
  /** `x.mp_state`: an attribute declared in src/sim/attributes.ts for the kind of `of`. */
  | { readonly k: 'get'; readonly of: Expr; readonly name: string }
  /** `web.vcpus`, `web.tasks`, `web.vcpu[0].apf`: entities or work items. */
  | { readonly k: 'all'; readonly of: Expr; readonly name: string }
  | { readonly k: 'list'; readonly items: readonly Expr[] }
  | { readonly k: 'not' | 'negate'; readonly of: Expr }
  | {
      readonly k: 'binary';
      readonly op:
        | 'and'
        | 'or'
        | 'implies'
        | 'iff'
        | '=='
        | '!='
        | '<'
        | '<='
        | '>'
        | '>='
        | '+'
        | '-'
        | '*'
        | '/'
        | 'in'
        | 'within';
      readonly left: Expr;
      readonly right: Expr;
    }
  /** `v is halted(synthetic)`, `t is runnable`, `p is swapped`, `v in nmi_handler`. States per kind: attributes.ts. */
  | { readonly k: 'is'; readonly of: Expr; readonly state: string; readonly arg: string | null }
  | {
      readonly k: 'quantifier';
      readonly q: 'each' | 'some' | 'no' | 'count';
      readonly variable: string;
      readonly over: Expr;
      readonly body: Expr;
    }
  /** True once the event has happened (within the judgement's window, when it has one). */
  | { readonly k: 'happened'; readonly event: EventPattern }
  /** Somebody waits, and nothing can end that; see src/sim/why/deadlock.ts. */
  | { readonly k: 'deadlock' }
  /** The first of one event came when the other had not happened yet. */
  | { readonly k: 'before'; readonly event: EventPattern; readonly other: EventPattern }
  /** Over the events of the run so far, or over the window. */
  | { readonly k: 'count_events' | 'rate_events'; readonly event: EventPattern; readonly window_ns: number | null }
  /** Longest unbroken time for which the condition held. */
  | { readonly k: 'max_time'; readonly of: Expr }
  /** Over a series declared in attributes.ts, such as `web.stall` (ns) . */
  | {
      readonly k: 'aggregate';
      readonly fn: 'count' | 'min' | 'max' | 'mean' | 'sum' | 'p50' | 'p90' | 'p95' | 'p99';
      readonly series: Expr;
    }
  /** True for `for_ns` without a break until now. */
  | { readonly k: 'lasting'; readonly of: Expr; readonly for_ns: number }
  /** True once it has been so. */
  | { readonly k: 'was'; readonly of: Expr }
  /** `of` has held ever since `from` came, as an event (`happened`) or as a condition that came true. */
  | { readonly k: 'since'; readonly of: Expr; readonly from: Expr }
  /** The value before the last step. */
  | { readonly k: 'prev'; readonly of: Expr }
  /** True once the event has happened in a thread that owes its being awake to the cause. */
  | { readonly k: 'because_of'; readonly event: EventPattern; readonly cause: EventPattern }
  /** True once the event has happened in a thread that was last woken by this one. */
  | { readonly k: 'woken_by'; readonly event: EventPattern; readonly waker: Actor }
  /** `web.vcpu[0].done[0]`: one of several, by its place among those there are. */
  | { readonly k: 'index'; readonly of: Expr; readonly at: number }
  /** A property of each of several things that come and go: `web.vcpu[0].apf.token`. */
  | { readonly k: 'each_of'; readonly of: Expr; readonly name: string }
  /** How many of these conditions hold. */
  | { readonly k: 'count_true'; readonly items: readonly Expr[] }
  /** How often an event has happened to things that only the moment tells, such as `ready(w.page)`. */
  | { readonly k: 'happened_to'; readonly name: string; readonly args: readonly (Expr | null)[] }
  /** The explanation of why a vCPU runs or does not, as text. */
  | { readonly k: 'why'; readonly of: Expr }
  /** The set of threads that have written an attribute's field; compare with `within [thread(...)]`. */
  | { readonly k: 'writers'; readonly of: Expr; readonly name: string }
  /** The records of matching tracepoints (globs), for `each t in trace(kvm_async_pf_*)`. */
  | { readonly k: 'trace'; readonly globs: readonly string[] }
  /** Those of the run that was recorded before, to compare with. */
  | { readonly k: 'recorded'; readonly globs: readonly string[]; readonly recording: string };

/** What is asked for: a value of whatever kind, or something that is so or is not. */
export type Asking = 'value' | 'truth';

/** A question for the machine of one run; or what is wrong with it, and where in its text. */
export type Answerable =
  | { readonly ok: true; readonly values: readonly Expr[] }
  | { readonly ok: false; readonly message: string; readonly at: number };
