/** Events of other systems that make a trace of KVM readable: who ran, who was woken, which work was queued. */
import { tracepoint } from './tracepoint.ts';

const WAKEUP = {
  '2.6.38': 'comm={comm:%s} pid={pid:%d} prio={prio:%d} success={success:%d} target_cpu={target_cpu:%03d}',
  '4.19': 'comm={comm:%s} pid={pid:%d} prio={prio:%d} target_cpu={target_cpu:%03d}',
  trace_cmd: '{comm:%s}:{pid:%d} [{prio:%d}] CPU:{target_cpu:%03d}',
} as const;
const WAKEUP_FIELDS = ['str comm', 's32 pid', 's32 prio', 's32 target_cpu', 'bool success'] as const;

export const companions = {
  sched_switch: tracepoint(
    'sched',
    'One thread leaves a CPU and another takes it. R+ left against its will.',
    ['str prev_comm', 's32 prev_pid', 's32 prev_prio', 's64 prev_state', 'str next_comm', 's32 next_pid', 's32 next_prio'],
    {
      '2.6.38':
        'prev_comm={prev_comm:%s} prev_pid={prev_pid:%d} prev_prio={prev_prio:%d} prev_state={prev_state:task_state_old} ==> next_comm={next_comm:%s} next_pid={next_pid:%d} next_prio={next_prio:%d}',
      '4.19':
        'prev_comm={prev_comm:%s} prev_pid={prev_pid:%d} prev_prio={prev_prio:%d} prev_state={prev_state:task_state} ==> next_comm={next_comm:%s} next_pid={next_pid:%d} next_prio={next_prio:%d}',
      trace_cmd:
        '{prev_comm:%s}:{prev_pid:%d} [{prev_prio:%d}] {prev_state:task_state_plugin} ==> {next_comm:%s}:{next_pid:%d} [{next_prio:%d}]',
    },
  ),
  sched_wakeup: tracepoint('sched', 'A thread was made runnable.', WAKEUP_FIELDS, WAKEUP),
  sched_waking: tracepoint('sched', 'A thread is about to be made runnable; in the context of the waker.', WAKEUP_FIELDS, WAKEUP),
  workqueue_queue_work: tracepoint(
    'workqueue',
    'Work is queued. The work queue is a pointer before 5.13, a name since.',
    ['u64 work', 'str function', 'str workqueue', 's32 req_cpu', 's32 cpu'],
    'work struct={work:%p} function={function:%s} workqueue={workqueue:%s} req_cpu={req_cpu:%d} cpu={cpu:%d}',
  ),
  workqueue_execute_start: tracepoint(
    'workqueue',
    'A worker begins.',
    ['u64 work', 'str function'],
    'work struct {work:%p}: function {function:%s}',
  ),
  workqueue_execute_end: tracepoint('workqueue', 'A worker is done.', ['u64 work', 'str function'], {
    '2.6.38': 'work struct {work:%p}',
    '5.8': 'work struct {work:%p}: function {function:%s}',
  }),
  page_fault_user: tracepoint(
    'exceptions',
    'A page fault in user mode, as the guest traces it.',
    ['u64 address', 'u64 ip', 'u64 error_code'],
    'address=0x{address:%lx} ip=0x{ip:%lx} error_code=0x{error_code:%lx}',
  ),
  page_fault_kernel: tracepoint(
    'exceptions',
    'A page fault in the kernel, as the guest traces it.',
    ['u64 address', 'u64 ip', 'u64 error_code'],
    'address=0x{address:%lx} ip=0x{ip:%lx} error_code=0x{error_code:%lx}',
  ),
} as const;
