import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';

/** One file of our own source: its path below `src/`, with `/`, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A specifier that begins with a dot, resolved to a path below `src/`; null for a package. */
export interface Import {
  readonly specifier: string;
  readonly target: string | null;
}

/** Every file of ours below `root` that the rules are about. */
export function sourceFiles(root: string): SourceFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile() && /\.(ts|js|svelte)$/.test(item.name))
    .map((item) => join(item.parentPath, item.name))
    .sort()
    .map((file) => ({ path: relative(root, file).split(sep).join('/'), text: readFileSync(file, 'utf8') }));
}

/** What a file imports: `import … from`, `export … from`, bare and dynamic imports, types included. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const code = withoutComments(text);
  const statement = /(?:^|[;{}>\n])\s*(?:import|export)\b(?:[^'"`;=()]*?\bfrom\s*|\s*)(['"])([^'"\n]+)\1/g;
  const dynamic = /\bimport\s*\(\s*(['"`])([^'"`\n]+)\1/g;
  const url = /\bnew URL\(\s*(['"])(\.{1,2}\/[^'"\n]+\.(?:ts|js))\1\s*,\s*import\.meta\.url/g;
  return [statement, dynamic, url].flatMap((pattern) =>
    Array.from(code.matchAll(pattern), (match) => {
      const specifier = match[2] ?? '';
      const target = specifier.startsWith('.') ? posix.join(dirname(path), specifier) : null;
      return { specifier, target };
    }),
  );
}

/** The text with comments blanked out, line by line as long as before; strings stay. */
export function withoutComments(text: string): string {
  const pattern =
    /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->|(?<=^|[\s;{}(),])\/\/[^\n]*/g;
  return text.replace(pattern, (found) => (/^(\/\*|\/\/|<!--)/.test(found) ? found.replace(/[^\n]/g, ' ') : found));
}

/** The text with comments and the insides of strings blanked out, so that words in messages are not taken for code. */
export function codeOnly(text: string): string {
  const pattern = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g;
  return withoutComments(text).replace(pattern, (found) => `''${' '.repeat(Math.max(0, found.length - 2))}`);
}

/** A circle of imports, as the paths it goes through, or null. A component may import itself: that is how it contains another of its kind. */
export function findCircle(files: readonly SourceFile[]): string[] | null {
  const graph = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .flatMap(({ target }) => target ?? [])
        .filter((target) => target !== file.path || !file.path.endsWith('.svelte')),
    ]),
  );
  const done = new Set<string>();
  for (const start of graph.keys()) {
    const circle = walk(start, []);
    if (circle !== null) return circle;
  }
  return null;

  function walk(path: string, way: string[]): string[] | null {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const next of graph.get(path) ?? []) {
      const circle = walk(next, [...way, path]);
      if (circle !== null) return circle;
    }
    done.add(path);
    return null;
  }
}
