/**
 * `apflab watch`: the terminal side of the monitor. Nothing else in the TUI touches the process, the clock or streams.
 *
 * The terminal is given back on every way out: q, Ctrl-C, signals, a crash, a suspend. Loaded only when a monitor is
 * opened, since Ink and React take longer to read than a small scenario takes to run. The bundle holds the production
 * build of React: the other is slow and keeps something of every frame.
 */
import type { Instance } from 'ink';
import { Bug } from '../base/assert.ts';
import { printable } from '../base/printable.ts';
import type { Program } from '../sim/program.ts';
import type { Recording } from '../trace/recording.ts';
import { type Ask, type Loaded, Monitor } from './monitor.ts';
import { openRecording } from './recording_session.ts';
import { blocksOf } from './screen.ts';
import { openSimulation } from './simulation_session.ts';
import { colorLevelOf, createTheme, isUnicode } from './theme.ts';

/** What the file holds now: runs, a recording, or lines that say what is wrong with it. */
export type Contents =
  /** `filter`: what the tracepoints are filtered by at first. */
  | { readonly kind: 'programs'; readonly programs: readonly Program[]; readonly filter?: string; readonly ask?: Ask }
  | { readonly kind: 'recording'; readonly recording: Recording }
  | { readonly kind: 'errors'; readonly lines: readonly string[] };

export interface WatchOptions {
  /** As the user named it. */
  readonly file: string;
  /** Reads and compiles the file, now and whenever it is saved. */
  readonly load: () => Contents;
  /** Calls `saved` when the file was saved; returns how to stop that. Null for a file that stays as it is. */
  readonly onSave: ((saved: () => void) => () => void) | null;
  /** Virtual time to open at. */
  readonly at_ns?: number;
  /** Virtual nanoseconds per second. */
  readonly speed?: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const FRAME_MS = 100;
/** Editors save in several steps; the last one counts. */
const SAVE_MS = 60;
/** Exit codes of signals: 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** Ink may leave the cursor hidden or the alternate screen on where it dies half-way. */
const RESTORE = '\x1b[?1049l\x1b[?25h';

/** Opens the monitor; resolves with the exit code when it is left. */
export async function watch(options: WatchOptions): Promise<number> {
  const { stdin, stdout, stderr } = process;
  if (!stdin.isTTY || !stdout.isTTY) {
    stderr.write(
      `apflab watch: needs a terminal on standard input and output\nhint: apflab run ${options.file} prints the same run as text\n`,
    );
    return 4;
  }
  const [{ render }, { screen }] = await Promise.all([import('ink'), import('./app.tsx')]);

  const theme = createTheme(colorLevelOf(options.env), isUnicode(options.env));
  const size = () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  const monitor = new Monitor(
    {
      file: options.file,
      load: () => loadedFrom(options.load),
      open: openSimulation,
      at_ns: options.at_ns ?? 0,
      speed: options.speed ?? 0,
      now: () => performance.now(),
    },
    size(),
  );

  return new Promise<number>((resolve, reject) => {
    let render_ms = 0;
    let last = performance.now();
    let soon: NodeJS.Immediate | null = null;
    let timer: NodeJS.Timeout | null = null;
    let saved: NodeJS.Timeout | null = null;
    let drawn = monitor.model;
    let over = false;
    let instance: Instance | null = null;
    let suspendTerminal: ((work: () => void) => Promise<void>) | null = null;

    const element = () => screen({ blocks: blocksOf(monitor.model, theme), size: monitor.model.size, onKeys, onReady });
    const draw = () => {
      if (over || drawn === monitor.model) return;
      drawn = monitor.model;
      instance?.rerender(element());
    };
    /** What goes wrong inside is ours: give the terminal back, then tell. */
    const guarded = (work: () => void) => {
      if (over) return;
      try {
        work();
      } catch (error) {
        leave(() => reject(error));
        return;
      }
      if (monitor.ended !== null) leave(code(monitor.ended));
      else if (monitor.takeSuspend()) void suspend(true);
    };
    const tick = () => {
      guarded(() => {
        const now = performance.now();
        // A picture that cannot have changed is not drawn again.
        if (monitor.moving) monitor.frame((now - last) * 1e6);
        last = now;
        draw();
      });
      // Slow terminals and large screens get fewer frames rather than all of the CPU.
      if (!over) timer = setTimeout(tick, Math.max(FRAME_MS, 4 * render_ms));
    };
    function onKeys(keys: readonly string[]): void {
      guarded(() => {
        for (const key of keys) monitor.key(key);
      });
      soon ??= setImmediate(() => {
        soon = null;
        guarded(draw);
      });
    }
    function onReady(suspender: (work: () => void) => Promise<void>): void {
      suspendTerminal = suspender;
    }
    const onResize = () =>
      guarded(() => {
        monitor.resize(size());
        draw();
      });
    const reload = () =>
      guarded(() => {
        monitor.load();
        draw();
      });
    const code = (exit: number) => () => resolve(exit);
    const onSignal = Object.entries(SIGNALS).map(([signal, exit]) => [signal, () => leave(code(exit))] as const);
    const onStop = () => void suspend(false);
    const onLost = () => leave(code(SIGNALS.SIGHUP));
    const onCrash = (error: unknown) => leave(() => reject(error));

    /** `group`: as the terminal would on Ctrl-Z, for npm and the shell's job to stop with us. */
    async function suspend(group: boolean): Promise<void> {
      if (over || !suspendTerminal) return;
      await suspendTerminal(() => {
        process.off('SIGTSTP', onStop);
        if (group) process.kill(0, 'SIGTSTP');
        else process.kill(process.pid, 'SIGSTOP');
        process.on('SIGTSTP', onStop);
      });
      last = performance.now();
      onResize();
    }

    function leave(then: () => void): void {
      if (over) return;
      over = true;
      clearTimeout(timer ?? undefined);
      if (soon) clearImmediate(soon);
      clearTimeout(saved ?? undefined);
      stopWatching?.();
      stdout.off('resize', onResize);
      for (const [signal, listener] of onSignal) process.off(signal, listener);
      process.off('SIGTSTP', onStop);
      process.off('uncaughtException', onCrash);
      instance?.unmount();
      const settle = () => {
        stdout.off('error', onLost);
        stdin.off('end', onLost);
        then();
      };
      if (instance) instance.waitUntilExit().then(settle, settle);
      else settle();
    }

    // Before Ink's own listener, which draws the old frame at the new size.
    stdout.prependListener('resize', onResize);
    stdout.on('error', onLost);
    stdin.on('end', onLost);
    for (const [signal, listener] of onSignal) process.on(signal, listener);
    process.on('SIGTSTP', onStop);
    process.on('uncaughtException', onCrash);
    process.once('exit', () => {
      if (!over) stdout.write(RESTORE);
    });
    const stopWatching = options.onSave?.(() => {
      clearTimeout(saved ?? undefined);
      saved = setTimeout(reload, SAVE_MS);
    });

    // Ink does so only after its first frame: what is typed until then would be echoed into it.
    stdin.setRawMode(true);
    instance = render(element(), {
      alternateScreen: true,
      incrementalRendering: true,
      interactive: true,
      exitOnCtrlC: false,
      patchConsole: false,
      maxFps: 60,
      onRender: ({ renderTime }) => {
        render_ms = renderTime;
      },
    });
    instance.waitUntilExit().then(
      () => leave(code(0)),
      error => leave(() => reject(error)),
    );
    timer = setTimeout(tick, FRAME_MS);
  });
}

/** A file that is gone, or cannot be read, is shown like one that is wrong: it may come back. */
function loadedFrom(load: () => Contents): Loaded {
  let contents: Contents;
  try {
    contents = load();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Bug) throw error;
    return { kind: 'errors', lines: [`error: ${printable(error.message)}`] };
  }
  return contents.kind === 'recording' ? { kind: 'recording', session: openRecording(contents.recording) } : contents;
}
