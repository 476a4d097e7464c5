# bash completion for hawser

_hawser()
{
	local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-}
	local commands='run check probe status reload link genkey pubkey gensecret sim version help'
	local runtime=${HAWSER_RUNTIME_DIR:-/run/hawser} socket

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$cur")
		return
	fi
	case $command in
	probe)
		if [ "${COMP_WORDS[COMP_CWORD-1]}" = --limit ]; then
			mapfile -t COMPREPLY < <(compgen -W '1MB 5MB 10MB 40MB 100MB' -- "$cur")
			return
		fi
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -W '--quick --limit --yes --json' -- "$cur"
			compgen -f -X '!*.yaml' -- "$cur"; compgen -d -- "$cur")
		;;
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
		mapfile -t COMPREPLY < <(compgen -W '--seed --runs --each --json --quiet --random --suite' -- "$cur"
			compgen -f -X '!*.yaml' -- "$cur"; compgen -d -- "$cur")
		;;
	status | reload | link)
		local devices= words=
		for socket in "$runtime"/*.sock; do
			[ -S "$socket" ] || continue
			socket=${socket##*/}
			devices="$devices ${socket%.sock}"
		done
		case $command in
		status) words="--all --json$devices" ;;
		reload) words=$devices ;;
		link)
			case ${COMP_WORDS[COMP_CWORD - 1]} in
			--device) words=$devices ;;
			link) words='down up use' ;;
			*) words='--device always backup never config' ;;
			esac
			;;
		esac
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		;;
	help)
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
		;;
	esac
}

complete -F _hawser hawser
