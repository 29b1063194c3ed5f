/**
 * What one frame of the monitor costs, in CPU time: picture, views, React, Ink, and the bytes for the terminal.
 *
 * Each frame differs from the one before as in a busy run: a tenth of the vCPUs changed, the trace scrolled, the clock
 * went on. What the simulation needs to get there is not in it.
 */
import { PassThrough } from 'node:stream';
import './test_preload.ts';
import { busyView } from './busy_view.ts';

export interface FrameCost {
  /** CPU time of a frame, of user and kernel together. */
  readonly cpu_ms: number;
  readonly bytes: number;
}

/** A stream that Ink takes for a terminal, and that counts. */
class Sink extends PassThrough {
  readonly isTTY = true;
  readonly columns: number;
  readonly rows: number;
  bytes = 0;

  constructor(columns: number, rows: number) {
    super();
    this.columns = columns;
    this.rows = rows;
  }

  override write(chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean {
    this.bytes += chunk.length;
    const callback = rest.at(-1);
    if (typeof callback === 'function') callback();
    return true;
  }
}

export async function frameBench(vcpus: number, columns: number, rows: number, frames: number): Promise<FrameCost> {
  process.env['NODE_ENV'] = 'production';
  const { render } = await import('ink');
  const { screen } = await import('../src/tui/app.tsx');
  const { blocksOf } = await import('../src/tui/screen.ts');
  const { createTheme } = await import('../src/tui/theme.ts');
  const { initialModel, windowOf } = await import('../src/tui/model.ts');
  const { update } = await import('../src/tui/update.ts');

  const theme = createTheme(3);
  const size = { columns, rows };
  const stdout = new Sink(columns, rows);
  let model = initialModel('busy.apf', size);
  const draw = (frame: number) => {
    const view = busyView(frame, vcpus, windowOf(model));
    [model] = update(model, { on: 'view', view, arrived: true });
    return screen({ blocks: blocksOf(model, theme), size, onKeys: () => {}, onReady: () => {} });
  };
  draw(0);
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => stdin,
    ref: () => stdin,
    unref: () => stdin,
  });
  const instance = render(draw(0), {
    stdout: stdout,
    stdin,
    interactive: true,
    alternateScreen: true,
    incrementalRendering: true,
    maxFps: 1000,
    patchConsole: false,
    exitOnCtrlC: false,
  });
  let cost = { user: 0, system: 0 };
  const warmUp = Math.ceil(frames / 4);
  for (let frame = 1; frame <= warmUp + frames; frame += 1) {
    if (frame === warmUp + 1) {
      stdout.bytes = 0;
      cost = { user: 0, system: 0 };
    }
    const before = process.cpuUsage();
    instance.rerender(draw(frame));
    await instance.waitUntilRenderFlush();
    const spent = process.cpuUsage(before);
    cost = { user: cost.user + spent.user, system: cost.system + spent.system };
  }
  instance.unmount();
  return { cpu_ms: (cost.user + cost.system) / 1000 / frames, bytes: stdout.bytes / frames };
}
