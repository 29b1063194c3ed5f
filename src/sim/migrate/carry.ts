/**
 * `destination carry_tokens`: what if a save carried the tokens of outstanding faults, and the destination sent a ready
 * for each? Nobody proposed it; it shows what the broadcast saves: state that has to be agreed on by every version.
 */
import { gfn_of_page, gpa_of_page } from '../addr.ts';
import { kvm_async_pf_carry } from '../kvm/async_pf.ts';
import { knobs_of, type Machine, vm_of_vcpu } from '../machine.ts';
import { ASYNC_PF_PER_VCPU, type SavedVcpu, type Vcpu } from '../schema.ts';

/** Reads which delivered not-present events no ready has answered. */
export function save_tokens(m: Machine, vcpu: Vcpu, saved: SavedVcpu): void {
  if (knobs_of(m, vcpu).destination !== 'carry_tokens') return;
  const { first_page } = m.places.vms[vm_of_vcpu(m, vcpu)]!;
  saved.nr_carried = 0;
  for (let place = 0; place < ASYNC_PF_PER_VCPU; place += 1) {
    const id = place < vcpu.apf_queue.length ? vcpu.apf_queue.at(place) : -1;
    const work = id < 0 ? null : m.works[id]!;
    const told = work !== null && work.notpresent_injected === 1;
    saved.set_carried_tokens(place, 0);
    saved.set_carried_pages(place, 0);
    if (!told || !work) continue;
    saved.set_carried_tokens(saved.nr_carried, work.token);
    saved.set_carried_pages(saved.nr_carried, work.page - first_page);
    saved.nr_carried += 1;
  }
}

/** Owes them from here on: each is an item whose page has come. */
export function load_tokens(m: Machine, vcpu: Vcpu, saved: SavedVcpu): void {
  if (knobs_of(m, vcpu).destination !== 'carry_tokens') return;
  const vm = vm_of_vcpu(m, vcpu);
  for (let place = 0; place < saved.nr_carried; place += 1) {
    const page = m.places.vms[vm]!.first_page + saved.carried_pages(place);
    const token = saved.carried_tokens(place);
    if (!kvm_async_pf_carry(m, vcpu, token, page, gpa_of_page(m, page), gfn_of_page(m, page))) continue;
    const migration = m.program.migrations.findIndex(({ into }) => into === vm);
    if (migration >= 0) m.migrations[migration]!.items_received += 1;
  }
}
