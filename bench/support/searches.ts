/** What the stores are searched for; `all` is how many lines have it. */
export const SEARCHES: readonly {
  readonly name: 'common' | 'rare' | 'part' | 'absent' | 'pattern' | 'bare';
  readonly text: string;
  readonly regex: boolean;
  readonly all: number | 'many';
}[] = [
  { name: 'common', text: 'request', regex: false, all: 'many' },
  { name: 'rare', text: 'quarterdeck', regex: false, all: 5 },
  { name: 'part', text: 'ba5eba11', regex: false, all: 5 },
  { name: 'absent', text: 'xyzzyplugh', regex: false, all: 0 },
  { name: 'pattern', text: 'quarter(deck|back) sank', regex: true, all: 5 },
  { name: 'bare', text: 'q[a-z]{2}r[a-z]{3}d[a-z]{2}k', regex: true, all: 5 },
];

export const SEARCH_TIMES = 5;
