import { random } from './random.ts';

const WORDS =
  'alpha buffer cache codec driver entry frame graph index layer merge node parse queue route store token'.split(' ');

/** Lines as builds print them: packages, a compiler, tests, a bundler; the same for the same seed. */
export function buildOutput(count: number, seed = 1): string[] {
  const next = random(seed);
  const number = (below: number) => Math.floor(next() * below);
  const word = () => WORDS[number(WORDS.length)] ?? '';
  const name = () => `${word()}-${word()}`;
  const version = () => `${number(9)}.${number(30)}.${number(20)}`;
  const hash = () => number(2 ** 32).toString(16);
  const kinds: (() => string)[] = [
    () =>
      `Get:${number(900)} https://mirror.example.org stable/main amd64 lib${name()} amd64 ${version()} [${number(900)} kB]`,
    () => `Selecting previously unselected package lib${name()}:amd64.`,
    () => `Unpacking lib${name()}:amd64 (${version()}-${number(9)}) ...`,
    () => `[${number(100)}%] Building CXX object src/CMakeFiles/${word()}.dir/${word()}/${name()}.cc.o`,
    () =>
      `src/${word()}/${name()}.ts(${number(300)},${number(90)}): error TS2345: Argument of type 'string' is not assignable to parameter of type '${word()}'.`,
    () =>
      `\u001b[32m✔\u001b[39m ${word()} ${word()}s the ${word()} of a ${word()} \u001b[90m(${number(90)}.${number(999_999)}ms)\u001b[39m`,
    () => `dist/assets/${name()}-${hash()}.js  ${number(900)}.${number(99)} kB │ gzip: ${number(300)}.${number(99)} kB`,
    () =>
      `#${number(40)} ${number(90)}.${number(999)} npm http fetch GET 200 https://packages.example.org/${name()} ${number(900)}ms (cache miss)`,
    () => `    at ${word()}.${word()} (/app/src/${word()}/${name()}.ts:${number(300)}:${number(80)})`,
    () => '',
  ];
  // A step of a build prints lines of one kind for a while.
  let kind = 0;
  return Array.from({ length: count }, () => {
    if (next() < 0.1) kind = number(kinds.length);
    return kinds[kind]?.() ?? '';
  });
}
