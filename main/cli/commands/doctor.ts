import { Command, Option } from 'commander'
import { defaultCache, defaultHome, homePaths } from '../../engine/paths.ts'
import { diagnostics } from '../diagnostics/index.ts'
import { exitCodes, print, printJson } from '../output.ts'

const marks = { good: '✓', note: '·', bad: '✗' } as const

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('look at this computer: QEMU, accelerator, memory, disk, ports, engine; each with what to do')
    .addOption(new Option('-o, --output <format>', 'json for scripts').choices(['json']))
    .action(async (options: { output?: 'json' }) => {
      const context = { paths: homePaths(defaultHome()), cache: defaultCache() }
      const findings = await Promise.all(
        diagnostics.map(async (diagnostic) => {
          try {
            return { name: diagnostic.name, ...(await diagnostic.check(context)) }
          } catch (error) {
            return {
              name: diagnostic.name,
              verdict: 'bad' as const,
              found: error instanceof Error ? error.message : String(error),
              remedy: 'This check itself failed; the message above says why.',
            }
          }
        }),
      )
      if (options.output === 'json') printJson(findings)
      else {
        for (const finding of findings) {
          print(`${marks[finding.verdict]} ${finding.name.padEnd(22)} ${finding.found}`)
          if (finding.verdict !== 'good' && finding.remedy !== undefined)
            print(`  ${' '.repeat(22)} → ${finding.remedy}`)
        }
      }
      if (findings.some((finding) => finding.verdict === 'bad')) process.exitCode = exitCodes.unhealthy
    })
}
