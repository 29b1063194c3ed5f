/** What we will not or cannot do, through no fault of a scenario: wrong usage, files, the environment. Exit code 4. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** What to do next. */
  readonly help: string | null;

  constructor(message: string, help: string | null = null) {
    super(message);
    this.help = help;
  }
}

/** The same for a system call that failed: `cannot read x.apf: no such file`. */
export function refusalOf(what: string, path: string, error: unknown): Refusal {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new Refusal(`cannot ${what} ${path}: ${REASONS[code] ?? (code || String(error))}`);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'it exists already',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
  ELOOP: 'symbolic links in a circle',
  ENAMETOOLONG: 'the name is too long',
  ERR_INVALID_ARG_VALUE: 'not a file name',
  ERR_FS_FILE_TOO_LARGE: 'it has more than 2 GiB',
};
