/**
 * A link between two hosts, as a migration sees it: a stream each way, in order, with a send buffer and a latency.
 *
 * A wire is one direction. Packets wait in `tx`, the first being on its way out at the link's bandwidth; those that are
 * out travel in `air` for the latency. When the link goes down, whatever is on it is lost, and both ends are told.
 * Differs: what TCP makes of a lost packet is the time to send it again after a round trip; acknowledgements are free.
 */
import { next32 } from '../../base/rng.ts';
import { wake_up_process } from '../host/sched.ts';
import type { Machine } from '../machine.ts';
import { WAIT } from '../schema.ts';
import { arrived } from './arrival.ts';
import { PACKETS_PER_WIRE, SNDBUF_PACKETS } from './packets.ts';
import { PACKET, type Packet } from './tables.ts';

type Kind = (typeof PACKET)[keyof typeof PACKET];

/** The wire of a migration: 0 with it, 1 back. */
export function wire_of(m: Machine, migration: number, back: 0 | 1): number {
  return m.program.migrations[migration]!.link * 2 + back;
}

/** Whether a sender may put one more packet in. */
export function can_send(m: Machine, wire: number): boolean {
  const { tx, air } = m.wires[wire]!;
  return tx.length < SNDBUF_PACKETS && tx.length + air.length < PACKETS_PER_WIRE;
}

/** Puts a packet into the send buffer; there must be room. */
export function send(m: Machine, wire: number, kind: Kind, migration: number, page: number, bytes: number): void {
  const row = m.wires[wire]!;
  if (!row.up) return;
  const packet = m.packets.find(({ kind }) => kind === PACKET.free);
  if (!packet) return;
  packet.kind = kind;
  packet.migration = migration;
  packet.page = page;
  packet.bytes = bytes;
  row.tx.push(packet.id);
  if (row.tx.length === 1) begin_tx(m, wire);
}

function linkOf(m: Machine, wire: number) {
  return m.program.links[wire >> 1]!;
}

function begin_tx(m: Machine, wire: number): void {
  const row = m.wires[wire]!;
  const packet = m.packets[row.tx.at(0)]!;
  const { bytes_per_s, latency_ns, loss_ppm } = linkOf(m, wire);
  const once_ns = (packet.bytes * 1e9) / bytes_per_s;
  let time_ns = once_ns;
  while (loss_ppm > 0 && next32(m.clock) % 1_000_000 < loss_ppm) {
    time_ns += 2 * latency_ns + once_ns;
    row.lost += 1;
  }
  row.sent_bytes += packet.bytes;
  // What is less than a nanosecond is carried over, so that the rate is right in the long run.
  const end_ns = Math.max(m.clock.now_ns, row.free_ns) + time_ns;
  row.free_ns = end_ns;
  m.queue.arm(m.places.source.wire + 2 * wire, Math.max(m.clock.now_ns + 1, Math.round(end_ns)));
}

/** A packet is out: it travels on, the next one begins, and who waited for room may look. */
function tx_done(m: Machine, wire: number): void {
  const row = m.wires[wire]!;
  const id = row.tx.shift();
  const packet = m.packets[id]!;
  packet.due_ns = m.clock.now_ns + linkOf(m, wire).latency_ns;
  row.air.push(id);
  if (row.air.length === 1) m.queue.arm(m.places.source.wire + 2 * wire + 1, packet.due_ns);
  if (row.tx.length > 0) begin_tx(m, wire);
  wake_senders(m, wire);
}

function wake_senders(m: Machine, wire: number): void {
  for (const thread of m.threads) {
    if (thread.wait === WAIT.link && thread.wait_id === wire) wake_up_process(m, thread);
  }
}

/** The oldest packet in the air has arrived. */
function arrive(m: Machine, wire: number): void {
  const row = m.wires[wire]!;
  const packet = m.packets[row.air.shift()]!;
  const next = row.air.at(0);
  if (row.air.length > 0) m.queue.arm(m.places.source.wire + 2 * wire + 1, m.packets[next]!.due_ns);
  arrived(m, packet);
  wake_senders(m, wire);
}

/** An event of a wire: even ones end a transmission, odd ones a journey. */
export function wire_event(m: Machine, source: number): void {
  if ((source & 1) === 0) tx_done(m, source >> 1);
  else arrive(m, source >> 1);
}

export function free_packet(packet: Packet): void {
  packet.kind = PACKET.free;
  packet.migration = 0;
  packet.page = 0;
}

/** Takes a migration's packets off a wire: its socket is closed. */
export function drop_packets(m: Machine, wire: number, migration: number | null): void {
  const row = m.wires[wire]!;
  for (const list of [row.tx, row.air]) {
    for (const id of list.toArray()) {
      const packet = m.packets[id]!;
      if (migration !== null && packet.migration !== migration) continue;
      list.remove(id);
      free_packet(packet);
    }
  }
  row.free_ns = m.clock.now_ns;
  const source = m.places.source.wire + 2 * wire;
  m.queue.disarm(source);
  m.queue.disarm(source + 1);
  if (row.tx.length > 0) begin_tx(m, wire);
  if (row.air.length > 0) m.queue.arm(source + 1, Math.max(m.clock.now_ns, m.packets[row.air.at(0)]!.due_ns));
  wake_senders(m, wire);
}
