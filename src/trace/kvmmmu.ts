/** The events of the MMU, arch/x86/kvm/mmu/mmutrace.h, system kvmmmu. */
import { tracepoint } from './tracepoint.ts';

/** role is the word of union kvm_mmu_page_role, as 6.1 lays it out. */
const ACCESS = '{role>>8&7:---;--x;w--;w-x;-u-;-ux;wu-;wux}';
const SHADOW_PAGE = `sp gen {mmu_valid_gen:%u} gfn {gfn:%llx} l{role&15:%u} {role>>4&1:8;4}-byte q{role>>5&3:%u}{role>>7&1:; direct} ${ACCESS}{role>>11&1:; invalid} {role>>12&1:!;}nxe {role>>16&1:;!}ad root {root_count:%u} {unsync:sync;unsync}`;
const SHADOW_PAGE_OLD = `sp gen {mmu_valid_gen:%lx} gfn {gfn:%llx} {role&15:%u}{role>>4&1: pae;} q{role>>5&3:%u}{role>>7&1:; direct} ${ACCESS}{role>>11&1:; invalid} {role>>12&1:!;}nxe root {root_count:%u} {unsync:sync;unsync}`;
const SHADOW = { '2.6.38': SHADOW_PAGE_OLD, '5.8': SHADOW_PAGE } as const;
const SHADOW_FIELDS = ['u64 mmu_valid_gen', 'u64 gfn', 'u32 role', 'u32 root_count', 'bool unsync'] as const;

export const kvmmmu = {
  kvm_mmu_pagetable_walk: tracepoint(
    'kvmmmu',
    'A walk of the guest page tables begins.',
    ['u64 addr', 'u32 pferr'],
    'addr {addr:%llx} pferr {pferr:%x} {pferr:pferr}',
  ),
  kvm_mmu_paging_element: tracepoint(
    'kvmmmu',
    'An entry of the guest page tables is read.',
    ['u64 pte', 'u32 level'],
    'pte {pte:%llx} level {level:%u}',
  ),
  kvm_mmu_set_accessed_bit: tracepoint('kvmmmu', 'The walker sets an accessed bit.', ['u64 gpa'], 'gpa {gpa:%llx}'),
  kvm_mmu_set_dirty_bit: tracepoint('kvmmmu', 'The walker sets a dirty bit.', ['u64 gpa'], 'gpa {gpa:%llx}'),
  kvm_mmu_walker_error: tracepoint('kvmmmu', 'The walk ends in a fault for the guest.', ['u32 pferr'], 'pferr {pferr:%x} {pferr:pferr}'),
  kvm_mmu_get_page: tracepoint('kvmmmu', 'A shadow page is found or made.', [...SHADOW_FIELDS, 'bool created'], {
    '2.6.38': `${SHADOW_PAGE_OLD} {created:existing;new}`,
    '5.8': `${SHADOW_PAGE} {created:existing;new}`,
  }),
  kvm_mmu_sync_page: tracepoint('kvmmmu', 'A shadow page is brought up to date.', SHADOW_FIELDS, SHADOW),
  kvm_mmu_unsync_page: tracepoint('kvmmmu', 'A shadow page may fall behind.', SHADOW_FIELDS, SHADOW),
  kvm_mmu_prepare_zap_page: tracepoint('kvmmmu', 'A shadow page is about to be freed.', SHADOW_FIELDS, SHADOW),
  mark_mmio_spte: tracepoint(
    'kvmmmu',
    'An entry is marked as belonging to a device.',
    ['u64 sptep', 'u64 gfn', 'u32 access', 'u32 gen'],
    'sptep:{sptep:%p} gfn {gfn:%llx} access {access:%x} gen {gen:%x}',
  ),
  handle_mmio_page_fault: tracepoint(
    'kvmmmu',
    'A fault on memory that is a device.',
    ['u64 addr', 'u64 gfn', 'u32 access'],
    'addr:{addr:%llx} gfn {gfn:%llx} access {access:%x}',
  ),
  fast_page_fault: tracepoint(
    'kvmmmu',
    'A fault that could be mended without the lock, or was already.',
    ['s32 vcpu_id', 'u64 cr2_or_gpa', 'u64 error_code', 'u64 sptep', 'u64 old_spte', 'u64 new_spte', 'bool spurious', 'bool fixed'],
    'vcpu {vcpu_id:%d} gva {cr2_or_gpa:%llx} error_code {error_code:pferr} sptep {sptep:%p} old {old_spte:%#llx} new {new_spte:%llx} spurious {spurious:%d} fixed {fixed:%d}',
  ),
  kvm_mmu_zap_all_fast: tracepoint(
    'kvmmmu',
    'All shadow pages become obsolete.',
    ['u8 mmu_valid_gen', 'u32 mmu_used_pages'],
    'kvm-mmu-valid-gen {mmu_valid_gen:%u} used_pages {mmu_used_pages:%x}',
  ),
  check_mmio_spte: tracepoint(
    'kvmmmu',
    'Whether an entry for a device is of the current generation.',
    ['u64 spte', 'u32 kvm_gen', 'u32 spte_gen', 'bool valid'],
    'spte {spte:%llx} kvm_gen {kvm_gen:%x} spte-gen {spte_gen:%x} valid {valid:%d}',
  ),
  kvm_mmu_set_spte: tracepoint(
    'kvmmmu',
    'An entry is written. u is -1 where the format has no such bit.',
    ['u64 gfn', 'u64 spte', 'u64 sptep', 'u8 level', 'bool r', 'bool x', 's8 u'],
    [
      '{u=-1}gfn {gfn:%llx} spte {spte:%llx} ({r:-;r}{spte>>1&1:-;w}{x:-;x}) level {level:%d} at {sptep:%llx}',
      'gfn {gfn:%llx} spte {spte:%llx} ({r:-;r}{spte>>1&1:-;w}{x:-;x}{u:-;u}) level {level:%d} at {sptep:%llx}',
    ],
  ),
  kvm_mmu_spte_requested: tracepoint(
    'kvmmmu',
    'A mapping is about to be made.',
    ['u64 gfn', 'u64 pfn', 'u8 level'],
    'gfn {gfn:%llx} pfn {pfn:%llx} level {level:%d}',
  ),
  kvm_tdp_mmu_spte_changed: tracepoint(
    'kvmmmu',
    'An entry of the two-dimensional tables changed, since 5.11.',
    ['u64 gfn', 'u64 old_spte', 'u64 new_spte', 'u8 level', 'u8 as_id'],
    'as id {as_id:%d} gfn {gfn:%llx} level {level:%d} old_spte {old_spte:%llx} new_spte {new_spte:%llx}',
  ),
  kvm_mmu_split_huge_page: tracepoint(
    'kvmmmu',
    'A huge page is split.',
    ['u64 gfn', 'u64 spte', 's32 level', 's32 errno'],
    'gfn {gfn:%llx} spte {spte:%llx} level {level:%d} errno {errno:%d}',
  ),
} as const;
