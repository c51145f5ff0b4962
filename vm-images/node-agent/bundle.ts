// How the agent becomes one file. The body is CommonJS inside an ES module: importing node:http and its like as ES modules makes Node
// evaluate every lazy export of theirs (all of undici, for one), which costs a third of the agent's start in an emulated machine.
import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'

const preamble =
  "import{createRequire}from'node:module';const require=createRequire(import.meta.url);const module={exports:{}};const exports=module.exports;"

/** Writes the bundle to `outFile` (agent.mjs); a source map beside it. Needs build/generated/cri (scripts/generate/cri.ts). */
export async function bundleAgent(outFile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
    outfile: outFile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minify: true,
    // Names in stack traces of a minified bundle would say nothing.
    keepNames: false,
    sourcemap: 'external',
    external: ['@lydell/node-pty'],
    banner: { js: preamble },
    logLevel: 'warning',
  })
}
