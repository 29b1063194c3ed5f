/** Text broken into lines between words; what is longer than a line is broken where the line ends. */

/** `hang`: what every line but the first begins with. */
export function fold(text: string, width: number, hang = ''): readonly string[] {
  const lines: string[] = [];
  const indent = text.length - text.trimStart().length;
  let line = text.slice(0, indent);
  for (const word of text.slice(indent).split(' ')) {
    const longer = line.trim() === '' ? line + word : `${line} ${word}`;
    if (longer.length <= width || line.trim() === '') line = longer;
    else {
      lines.push(line);
      line = hang + word;
    }
    while (line.length > width) {
      lines.push(line.slice(0, width));
      line = hang + line.slice(width);
    }
  }
  return [...lines, line];
}
