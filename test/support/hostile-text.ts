/** Markup that would run or leave a mark: `canary()` is a function of the page, `data-evil` an attribute that is nowhere else. */
export const MARKUP: readonly string[] = [
  '<script data-evil>canary()</script>',
  '<img data-evil src=x onerror="canary()">',
  '<svg data-evil onload="canary()"><animate onbegin="canary()" attributeName=x></svg>',
  '"><iframe data-evil srcdoc="<script>parent.canary()</script>"></iframe>',
  '<a data-evil href="javascript:canary()">click</a>',
  '[click](javascript:canary()) ![x](data:text/html,<script>canary()</script>) <javascript:canary()>',
  '</title></style></textarea></script><body data-evil onload=canary()>',
  '<base data-evil href="//evil.example/"><meta data-evil http-equiv=refresh content="0;url=javascript:canary()">',
  '{@html "<b data-evil>"}{{constructor.constructor("canary()")()}}$\u007bcanary()}',
  '<style data-evil>*{display:none}</style><link data-evil rel=stylesheet href=//evil.example/x.css>',
  "' onfocus=canary() autofocus data-evil x='",
];

/** Sequences that a terminal would obey, each with words of its own to be found by. */
export const SEQUENCES: readonly string[] = [
  '\u001b]8;;javascript:canary()\u0007osc8 script\u001b]8;;\u0007',
  '\u001b]8;;data:text/html,<script>canary()</script>\u001b\\osc8 data\u001b]8;;\u001b\\',
  '\u001b]0;osc title\u0007after title',
  '\u001b]52;c;Y2FuYXJ5\u0007after clipboard',
  '\u001b[2J\u001b[H\u001b[1;1Hafter cursor',
  '\u001b[?1049h\u001b[?25l\u001b[31mred\u001b[0m after screen',
  '\u001b[8mconcealed\u001b[28m after conceal',
  '\u001bP+q544e\u001b\\after dcs \u001b_apc\u001b\\ \u001b^pm\u001b\\',
  '\u001b[6n\u001b[c\u001b]10;?\u0007after question',
  '\u009b2J\u009d0;c1 title\u009cafter c1',
  'over\rwritten \b\b\b\u007f after return',
  'bell \u0007 nul \u0000 vertical \u000b\u000c after controls',
];

/** Text that turns or hides text, and piles that would paint over their neighbours. */
export const HIDDEN: readonly string[] = [
  'invoice\u202efdp.exe',
  '\u2066if (admin)\u2069 \u2067{\u2069 bidi isolate',
  'zero\u200bwidth\ufeff\u2060 \u200e\u200f',
  'tags \u{e0068}\u{e0069}\u{e007f} after tags',
  'line\u2028separator\u2029paragraph',
  `zalgo a${'\u0301'.repeat(10_000)} after marks`,
  `zalgo a${'\u0e49\u0345\u20dd'.repeat(3_000)} after piles`,
];

export const HOSTILE: readonly string[] = [...MARKUP, ...SEQUENCES, ...HIDDEN];

/** What must never reach the eye or a terminal as it is: controls but tab and newline, and what turns or hides text. */
export const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]|\p{M}{9}/u;
