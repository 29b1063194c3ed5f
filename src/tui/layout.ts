/**
 * Where each pane stands, for any size of the terminal.
 *
 * Line 0 is the header, the last line the footer. Below 60x16 there is no layout. Panes have a title line and no
 * borders: at 80x24 every line counts.
 */

export const PANES = ['vcpus', 'queues', 'trace', 'pages', 'judgements'] as const;
export type PaneName = (typeof PANES)[number];

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Placed extends Rectangle {
  readonly pane: PaneName;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export const SMALLEST: Size = { columns: 60, rows: 16 };

/** Lines of a pane before its contents, by pane: the title, for vCPUs also the names of the columns. */
export const CHROME: Readonly<Record<PaneName, number>> = { vcpus: 2, queues: 1, trace: 1, pages: 1, judgements: 1 };

/** What of a run or a recording bears on the layout. */
export interface Shown {
  readonly nr_vcpus: number;
  /** A recording does not tell of pages and judgements; its lines are long. */
  readonly is_recording: boolean;
  /** A run in a given order is told step by step, below the header. */
  readonly is_told: boolean;
}

/** Lines of the story. */
export const STORY_LINES = 2;

/** The panes for a size, or null where it is too small. `zoomed` alone fills the screen. */
export function layout(
  size: Size,
  { nr_vcpus, is_recording, is_told }: Shown,
  zoomed: PaneName | null,
): readonly Placed[] | null {
  const { columns, rows } = size;
  if (columns < SMALLEST.columns || rows < SMALLEST.rows) return null;
  const told = is_told ? STORY_LINES : 0;
  const body = { x: 0, y: 1 + told, width: columns, height: rows - 2 - told };
  if (zoomed !== null) return [{ pane: zoomed, ...body }];

  const most = rows < 20 ? 2 : Math.floor((body.height - 2) * (columns >= 110 ? 0.45 : 0.3));
  const vcpus = { ...body, height: CHROME.vcpus + Math.min(Math.max(1, nr_vcpus), most) };
  const rest = { ...body, y: body.y + vcpus.height, height: body.height - vcpus.height };
  const placed: Placed[] = [{ pane: 'vcpus', ...vcpus }];
  if (is_recording || columns < 80 || rest.height < 15) {
    const [queues, trace] = stacked(rest, Math.min(8, Math.floor(rest.height / 2)));
    return [...placed, { pane: 'queues', ...queues }, { pane: 'trace', ...trace }];
  }
  if (columns < 160) {
    // Lines of trace are long: they get the whole width.
    const [upper, trace] = stacked(rest, Math.max(9, Math.floor(rest.height * 0.4)));
    const [left, right] = beside(upper, Math.floor(columns / 2));
    const [judgements, pages] = stacked(right, Math.floor(upper.height * 0.45));
    return [
      ...placed,
      { pane: 'queues', ...left },
      { pane: 'trace', ...trace },
      { pane: 'pages', ...pages },
      { pane: 'judgements', ...judgements },
    ];
  }
  const [left, right] = beside(rest, Math.floor(columns * 0.58));
  const [queues, trace] = stacked(left, Math.min(13, Math.floor(rest.height / 2)));
  const [judgements, pages] = stacked(right, Math.floor(rest.height * 0.4));
  return [
    ...placed,
    { pane: 'queues', ...queues },
    { pane: 'trace', ...trace },
    { pane: 'pages', ...pages },
    { pane: 'judgements', ...judgements },
  ];
}

function stacked(area: Rectangle, height: number): [Rectangle, Rectangle] {
  return [
    { ...area, height },
    { ...area, y: area.y + height, height: area.height - height },
  ];
}

/** Side by side with a free column between. */
function beside(area: Rectangle, width: number): [Rectangle, Rectangle] {
  return [
    { ...area, width: width - 1 },
    { ...area, x: area.x + width, width: area.width - width },
  ];
}
