# Completions of restreefs for fish.

function __restreefs_options
  printf '%s\t%s\n' \
    repository_file= 'a file that holds the repository\'s location' \
    password_file= 'a file that holds the password' \
    password_command= 'a command that prints the password' \
    insecure_no_password 'the repository has no password' \
    key_hint= 'the key file to try first' \
    rescue_key= 'what opens it if its key files or config are lost' \
    second= 'where to read what is lost or damaged here' \
    second_password_file= 'a file that holds its password' \
    second_password_command= 'a command that prints it' \
    second_key_hint= 'its key file to try first' \
    second_insecure_no_password 'it has no password' \
    index= 'packs: find data without index files' \
    announce 'say on standard output when the mount is there' \
    lock 'hold a shared lock on the repository' \
    retry_lock= 'with lock: how long to wait for it' \
    host= 'only snapshots of this host' \
    tag= 'only snapshots with this tag' \
    path= 'only snapshots of this absolute path' \
    path_template= 'show snapshots under such paths: hosts/%h/%T' \
    as_of= 'only what this machine had seen by then' \
    time_template= 'how times are written, as for strftime(3)' \
    refresh= 'how often to look for new snapshots (30)' \
    uid= 'show everything as owned by this user' \
    gid= 'show everything as owned by this group' \
    umask= 'mode bits that are not shown' \
    memory= 'how much decoded data to keep (64M)' \
    timeout= 'after how long a read without an answer fails (60)' \
    limit_download= 'how much to read in a second at most' \
    limit_upload= 'how much to write in a second at most' \
    log_file= 'where log lines go' \
    debug 'the same as -d' \
    cache_dir= 'the folder for caches' \
    cache_size= 'the most that the cache takes (10G)' \
    cache_min_free= 'what the cache leaves free, or NUMBER% (10%)' \
    no_cache 'keep nothing on the disk' \
    warm= 'bring a snapshot into the cache, APP or APP:SNAPSHOT' \
    ssh_user= 'the user to log in as' \
    ssh_port= 'the server\'s port' \
    ssh_key= 'a private key' \
    ssh_known_hosts= 'the file with the server\'s public key' \
    ssh_config= 'instead of ~/.ssh/config' \
    ssh_password_file= 'a file that holds the login\'s password' \
    ssh_password_command= 'a command that prints it' \
    ssh_passphrase_file= 'a file that holds the key\'s passphrase' \
    ssh_passphrase_command= 'a command that prints it' \
    no_ssh_agent 'do not ask the agent for keys' \
    ssh_command= 'run this, such as ssh, for each connection' \
    connections= 'how many to open at most (4)' \
    connect_timeout= 'how long a login may take (15)' \
    silence_timeout= 'when a silent connection is replaced (15)' \
    allow_other 'other users may enter' \
    allow_root 'root may enter' \
    default_permissions 'the kernel compares owners and modes' \
    no_default_permissions 'not even with allow_other' \
    nosuid 'setuid programs have no effect (default)' \
    suid 'they have' \
    nodev 'devices have no effect (default)' \
    dev 'they have' \
    noexec 'programs cannot be run' \
    exec 'they can (default)' \
    fsname= 'the source in the list of mounts' \
    sync '' async '' dirsync '' atime '' noatime ''
end

complete -c restreefs -f -a '(__fish_complete_directories)'
complete -c restreefs -s d -l debug -d 'log every request'
complete -c restreefs -s f -d 'stay in the foreground'
complete -c restreefs -s h -l help -d 'print the usage'
complete -c restreefs -s V -l version -d 'print the version'
complete -c restreefs -s o -x -d 'options' -a '(__fish_append , (__restreefs_options))'
