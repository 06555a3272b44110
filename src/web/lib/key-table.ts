/** A line of the help sheet: keys by the names of `KeyboardEvent.key`, each alone or one after the other (`g t`). */
export interface KeyLine {
  readonly keys: readonly string[];
  readonly does: string;
}

export interface KeyGroup {
  readonly title: string;
  readonly lines: readonly KeyLine[];
}

/** Every key that the page listens to, as people are told of it. Tests hold it equal to what listens. */
export const KEY_GROUPS: readonly KeyGroup[] = [
  {
    title: 'Everywhere',
    lines: [
      line('?', 'this help'),
      line('Ctrl+k', 'go to a task, a screen or an action'),
      line('g t', 'tasks'),
      line('g s', 'search'),
      line('g c', 'costs'),
      line('g ,', 'settings'),
      line('/', 'filter or search'),
      line('Escape', 'close, or leave the field'),
      line('t', 'next theme'),
      line('z', 'times: local, UTC, since start, relative'),
    ],
  },
  {
    title: 'Task list',
    lines: [
      line(['j', 'k', 'ArrowDown', 'ArrowUp'], 'next, previous task'),
      line('Enter', 'open the task'),
      line(' ', 'its last lines'),
      line('x', 'select the task'),
      line('X', 'select all up to the task'),
      line('o', 'sort by the next column'),
      line('O', 'turn the order'),
      line('r', 'read the list again'),
    ],
  },
  {
    title: 'Search',
    lines: [
      line(['j', 'k', 'ArrowDown', 'ArrowUp'], 'next, previous line'),
      line('Enter', 'open the line in its task'),
      line('Escape', 'stop searching, in the field'),
    ],
  },
  {
    title: 'Log',
    lines: [
      line(['j', 'k', 'ArrowDown', 'ArrowUp'], 'next, previous line'),
      line([' ', 'b', 'PageDown', 'PageUp'], 'page down, page up'),
      line('d', 'half a page down'),
      line(['Home', 'g g'], 'first line'),
      line(['End', 'G', 'f'], 'last line, and follow'),
      line('p', 'pause or resume'),
      line('Enter', 'open the line, fold or unfold'),
      line(['[', ']'], 'previous, next group'),
      line('F', 'fold or unfold all'),
      line(':', 'go to a line or a time'),
      line(['1', '2', '3', '4'], 'debug, info, warning, error'),
      line('0', 'all levels'),
      line(['e', 'E'], 'next, previous error'),
      line(['w', 'W'], 'next, previous warning'),
      line(['s', 'S'], 'next, previous slow-down'),
    ],
  },
  {
    title: 'Log: find and take along',
    lines: [
      line('Ctrl+f', 'find; again: the browser’s own'),
      line(['n', 'N'], 'next, previous hit'),
      line('Alt+Enter', 'only matches, in the field'),
      line('m', 'mark the line'),
      line(['u', 'U'], 'next, previous mark'),
      line("'", 'all marks'),
      line('c', 'copy the lines'),
      line('y', 'copy the link to them'),
      line('D', 'download'),
      line('a', 'wrap long lines'),
      line('h', 'lines over time'),
      line('v', 'full screen'),
    ],
  },
];

const SHOWN: Readonly<Record<string, string>> = {
  ' ': 'Space',
  Escape: 'Esc',
  ArrowDown: '↓',
  ArrowUp: '↑',
  PageDown: 'PgDn',
  PageUp: 'PgUp',
};

/** The keycaps of a key, one after the other: `g t` has two, `Ctrl+k` too, and so has `F`. */
export function keycaps(key: string): readonly string[] {
  if (key === ' ') return ['Space'];
  return key.split(/(?<=.)[ +](?=.)/).flatMap((part) => {
    if (/^[A-Z]$/.test(part)) return ['Shift', part];
    return [SHOWN[part] ?? (key.includes('+') ? part.replace(/^[a-z]$/, (letter) => letter.toUpperCase()) : part)];
  });
}

function line(keys: string | readonly string[], does: string): KeyLine {
  return { keys: [keys].flat(), does };
}
