import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { type EngineFlag, engineFlags, flagSections } from '../../engine/flags/index.ts'
import { gitVersion } from '../../../common/api/kubernetes-version.ts'
import type * as EngineModule from '../../engine/main.ts'
import type { EngineOptions } from '../../engine/options.ts'
import { defaultCache, defaultHome } from '../../engine/paths.ts'

interface OwnFlags {
  readonly machines: boolean
  readonly data?: string
  readonly logLevel: EngineOptions['logLevel']
}

export function engineCommand(): Command {
  const command = new Command('engine')
    .description(
      'run the engine in the foreground; with --no-machines a control plane alone, with the flags by which kube-apiserver is started',
    )
    .version(`Kubernetes ${gitVersion}`, '--version', 'the version of Kubernetes that is served')
    .option('--no-machines', 'no VMs: only the API server, controllers and scheduler')
    .option('--data <dir>', 'where its state is kept (default: ORRERY_HOME)')
    .addOption(new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error']).default('info'))
  const options = new Map<EngineFlag, Option>()
  for (const { title, flags } of flagSections) {
    for (const flag of flags) {
      const option = optionOf(flag).helpGroup(title)
      options.set(flag, option)
      command.addOption(option)
    }
  }
  command.configureOutput({
    outputError: (text, write) => {
      // As kube-apiserver says it.
      write(text.replace(/^error: unknown option '([^']+?)(?:=.*)?'/, 'Error: unknown flag: $1'))
    },
  })
  return command.action(async (given: OwnFlags & Readonly<Record<string, unknown>>) => {
    const settings: EngineOptions = {
      home: given.data === undefined ? defaultHome() : resolve(given.data),
      cache: defaultCache(),
      machines: given.machines,
      foreground: true,
      logLevel: given.logLevel,
    }
    for (const flag of engineFlags) {
      const value = given[options.get(flag)?.attributeName() ?? ''] as string | true | readonly string[] | undefined
      if (value === undefined) continue
      for (const text of typeof value === 'object' ? value : [value])
        // "-v=4" comes with its sign.
        flag.set(settings, text === true ? '' : flag.short === undefined ? text : text.replace(/^=/, ''))
    }
    // A bundle of its own, loaded only here: the other subcommands start faster without it.
    const { runEngineOrExplain } = (await import(new URL('engine.mjs', import.meta.url).href)) as typeof EngineModule
    await runEngineOrExplain(settings)
  })
}

function optionOf({ name, short, argument, description, repeatable }: EngineFlag): Option {
  // "--scheduler" alone is true, as with Go's flags.
  const value = argument === 'bool' ? ' [bool]' : ` <${argument ?? ''}>`
  const option = new Option(`${short === undefined ? '' : `-${short}, `}--${name}${value}`, description)
  if (repeatable === true) option.argParser((text, previous: string[] | undefined) => [...(previous ?? []), text])
  return option
}
