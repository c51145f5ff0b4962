import type { ITheme } from '@xterm/xterm'

const light: ITheme = {
  background: '#fbfbf9', foreground: '#1b1e22', cursor: '#9a6b14', cursorAccent: '#fbfbf9', selectionBackground: '#ecd9b0',
  black: '#1b1e22', red: '#b3261e', green: '#1c7a4d', yellow: '#8a6100', blue: '#2562b8', magenta: '#7d3c98', cyan: '#0b7472', white: '#6b7178',
  brightBlack: '#666d75', brightRed: '#c9362d', brightGreen: '#238c5a', brightYellow: '#9a6b14', brightBlue: '#3a78d0', brightMagenta: '#9350ae', brightCyan: '#158b88', brightWhite: '#3b4047',
}
const dark: ITheme = {
  background: '#0b0d10', foreground: '#dfe3e6', cursor: '#d6a655', cursorAccent: '#0b0d10', selectionBackground: '#5a4722',
  black: '#1b2025', red: '#f0746b', green: '#57b98a', yellow: '#d6a655', blue: '#74a7ee', magenta: '#c397e0', cyan: '#56c0bb', white: '#c9ced3',
  brightBlack: '#6d7680', brightRed: '#ff968e', brightGreen: '#7fd3aa', brightYellow: '#eac27d', brightBlue: '#9bc2f7', brightMagenta: '#d8b5ee', brightCyan: '#83d8d3', brightWhite: '#f4f6f7',
}

export const terminalTheme = (isDark: boolean): ITheme => (isDark ? dark : light)
