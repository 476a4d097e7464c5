# bash completion for hawser

_hawser()
{
	local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-}
	local commands='run check status genkey pubkey gensecret sim version help'
	local runtime=${HAWSER_RUNTIME_DIR:-/run/hawser} socket

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$cur")
		return
	fi
	case $command in
	run | check)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -X '!*.yaml' -- "$cur"; compgen -d -- "$cur")
		;;
	gensecret)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	sim)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -W '--seed --runs --json --quiet --random --suite' -- "$cur"
			compgen -f -X '!*.yaml' -- "$cur"; compgen -d -- "$cur")
		;;
	status)
		local devices=
		for socket in "$runtime"/*.sock; do
			[ -S "$socket" ] || continue
			socket=${socket##*/}
			devices="$devices ${socket%.sock}"
		done
		mapfile -t COMPREPLY < <(compgen -W "--all --json$devices" -- "$cur")
		;;
	help)
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
		;;
	esac
}

complete -F _hawser hawser
