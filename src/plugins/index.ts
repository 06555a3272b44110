export { type DebugFacts, debugPlugin } from './debug.ts';
export { type DemoParams, demoPlugin } from './demo.ts';
export { type ShellCommand, type ShellOptions, type ShellParams, shellPlugin } from './shell.ts';
