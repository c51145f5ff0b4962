// The orrery command. Every subcommand is one file under commands/ and one line here.
import { Command, CommanderError } from 'commander'
import { orreryVersion } from '../engine/version.ts'
import { consoleCommand, shellCommand } from './commands/attach.ts'
import { destroyCommand, downCommand } from './commands/down.ts'
import { doctorCommand } from './commands/doctor.ts'
import { engineCommand } from './commands/engine.ts'
import { hollowNodesCommand } from './commands/hollow-nodes.ts'
import { imageCommand } from './commands/image.ts'
import { kubeconfigCommand, logsCommand, uiCommand, versionCommand } from './commands/small.ts'
import { openCommand } from './commands/open.ts'
import { statusCommand } from './commands/status.ts'
import { upCommand } from './commands/up.ts'
import { exitCodes, reportError } from './output.ts'

const program = new Command('orrery')
  .description(
    'A working model of a cluster on your desk: real Linux VMs as nodes, a Kubernetes API, all on this computer.',
  )
  .version(orreryVersion, '-V, --version')
  // "orrery engine --version" is the engine's to answer.
  .enablePositionalOptions()
  .showSuggestionAfterError()
  .showHelpAfterError('(see orrery --help)')
  .addHelpText(
    'after',
    `
A first tour:
  orrery up                                  two nodes, one of each architecture, then wait until they are Ready
  export KUBECONFIG=$(orrery kubeconfig)     kubectl now speaks to the lab
  kubectl create deployment hello --image=hello --replicas=3
  orrery ui                                  a link into the window
  orrery down                                stop; "orrery up" continues where it was

State is kept under ORRERY_HOME; several homes can run side by side.
Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 no engine runs, 4 a deadline passed, 5 doctor found a problem.`,
  )

for (const command of [
  upCommand,
  downCommand,
  destroyCommand,
  statusCommand,
  kubeconfigCommand,
  uiCommand,
  openCommand,
  consoleCommand,
  shellCommand,
  imageCommand,
  logsCommand,
  doctorCommand,
  engineCommand,
  hollowNodesCommand,
  versionCommand,
]) {
  program.addCommand(command())
}

program.exitOverride()
for (const command of program.commands) command.exitOverride()
try {
  await program.parseAsync(process.argv)
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  else process.exitCode = reportError(error)
}
