import { Command, Option } from 'commander'
import type * as EngineModule from '../../engine/main.ts'
import { defaultCache, defaultHome } from '../../engine/paths.ts'
import { parseListen, type EngineOptions } from '../../engine/options.ts'
import { resolve } from 'node:path'

interface EngineFlags {
  machines: boolean
  listen?: string
  data?: string
  tokenAuthFile?: string
  serviceClusterIpRange?: string
  logLevel: EngineOptions['logLevel']
}

export function engineCommand(): Command {
  return new Command('engine')
    .description('run the engine in the foreground; with --no-machines a control plane alone')
    .option('--no-machines', 'no VMs: only the API server, controllers and scheduler')
    .option(
      '--listen <host:port>',
      'loopback address to serve on (default: the one used before, else 127.0.0.1:7443 or a free port)',
    )
    .option('--data <dir>', 'where its state is kept (default: ORRERY_HOME)')
    .option('--token-auth-file <file>', 'static bearer tokens: CSV token,user,uid,"groups"')
    .option('--service-cluster-ip-range <cidr>', 'range for Services (default: 10.96.0.0/16)')
    .addOption(new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error']).default('info'))
    .action(async (flags: EngineFlags) => {
      // A bundle of its own, loaded only here: the other subcommands start faster without it.
      const { runEngineOrExplain } = (await import(new URL('engine.mjs', import.meta.url).href)) as typeof EngineModule
      await runEngineOrExplain({
        home: flags.data === undefined ? defaultHome() : resolve(flags.data),
        cache: defaultCache(),
        machines: flags.machines,
        ...(flags.listen === undefined ? {} : { listen: parseListen(flags.listen) }),
        ...(flags.serviceClusterIpRange === undefined ? {} : { serviceCIDR: flags.serviceClusterIpRange }),
        ...(flags.tokenAuthFile === undefined ? {} : { tokenAuthFile: resolve(flags.tokenAuthFile) }),
        foreground: true,
        logLevel: flags.logLevel,
      })
    })
}
