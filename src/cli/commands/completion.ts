/** `apflab completion`: scripts for the shells, made from the declared verbs and flags. */
import type { Args, Flag, Verb } from '../args.ts';
import { HELP } from '../args.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { Refusal } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';
import { VERB_LIST, VERBS } from '../verbs.ts';

export function completion({ operands: [shell = ''] }: Args, { out }: Terminal): ExitCode {
  const write = SHELLS.get(shell);
  if (!write) throw new Refusal(`no completion for '${shell}'`, `shells: ${VERBS.completion.words.join(', ')}`);
  out.write(write());
  return EXIT.ok;
}

const SHELLS: ReadonlyMap<string, () => string> = new Map([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
]);

const flagsOf = (verb: Verb): readonly Flag<unknown>[] => [...verb.flags, HELP];
const names = VERB_LIST.map(({ name }) => name).join(' ');

function bash(): string {
  const flags = VERB_LIST.map(
    verb =>
      `    ${verb.name}) flags="${flagsOf(verb)
        .map(({ name }) => `--${name}`)
        .join(' ')}" ;;`,
  );
  const values = VERB_LIST.flatMap(verb =>
    flagsOf(verb).flatMap(({ name, choices }) =>
      choices.length === 0
        ? []
        : [`    ${verb.name}:--${name}) COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$word")); return ;;`],
    ),
  );
  const words = VERB_LIST.map(
    verb => `    ${verb.name}) COMPREPLY=($(compgen -W "${operandWords(verb).join(' ')}" -- "$word")) ;;`,
  );
  return `# bash completion of apflab
_apflab() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" verb="\${COMP_WORDS[1]}" flags=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names} --help --version" -- "$word"))
    return
  fi
  case "$verb:$before" in
${values.join('\n')}
  esac
  case "$verb" in
${flags.join('\n')}
  esac
  if [[ "$word" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
    return
  fi
  case "$verb" in
${words.filter((_, index) => operandWords(VERB_LIST[index] ?? VERBS.run).length > 0).join('\n')}
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _apflab apflab
`;
}

function zsh(): string {
  const verbs = VERB_LIST.map(({ name, summary }) => `    '${name}:${quote(summary)}'`);
  const cases = VERB_LIST.map(verb => {
    const flags = flagsOf(verb).map(
      flag => `'*--${flag.name}[${quote(flag.summary.replace(/[[\]]/g, ''))}]${zshValue(flag)}'`,
    );
    const words = operandWords(verb);
    const operands = words.length > 0 ? `'*:word:(${words.join(' ')})'` : "'*:file:_files'";
    return `    ${verb.name}) _arguments ${[...flags, operands].join(' ')} ;;`;
  });
  return `#compdef apflab
_apflab() {
  local -a verbs
  verbs=(
${verbs.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    return
  fi
  local verb="\${words[2]}"
  shift words
  (( CURRENT-- ))
  case "$verb" in
${cases.join('\n')}
  esac
}
compdef _apflab apflab
`;
}

function zshValue({ value, choices }: Flag<unknown>): string {
  if (value === null) return '';
  return `:value:${choices.length > 0 ? `(${choices.join(' ')})` : value === 'FILE' ? '_files' : ''}`;
}

function fish(): string {
  const verbs = VERB_LIST.map(
    ({ name, summary }) => `complete -c apflab -n __fish_use_subcommand -f -a ${name} -d '${quote(summary)}'`,
  );
  const flags = VERB_LIST.flatMap(verb =>
    flagsOf(verb).map(({ name, value, summary, choices }) => {
      const wants = value === null ? '' : choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : ' -r';
      return `complete -c apflab -n '__fish_seen_subcommand_from ${verb.name}' -l ${name}${wants} -d '${quote(summary)}'`;
    }),
  );
  const words = VERB_LIST.flatMap(verb =>
    operandWords(verb).length === 0
      ? []
      : [`complete -c apflab -n '__fish_seen_subcommand_from ${verb.name}' -f -a '${operandWords(verb).join(' ')}'`],
  );
  return `# fish completion of apflab\n${[...verbs, ...flags, ...words].join('\n')}\n`;
}

/** The words that an operand may be; none where it is a file. */
function operandWords(verb: Verb): readonly string[] {
  return verb.name === 'help' ? VERB_LIST.map(({ name }) => name) : (verb.words ?? []);
}

/** Every shell here ends a text in single quotes at the next one. */
function quote(text: string): string {
  return text.replaceAll("'", '’');
}
