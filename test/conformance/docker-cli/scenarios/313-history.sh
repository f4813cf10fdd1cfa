# title: task history limit
# tags: restart reaper
q docker swarm update --task-history-limit 2
q docker service create -d --name x-h --restart-delay 100ms $IMG sh -c 'sleep 0.2; exit 1'
sleep 8
sh_ "docker service ps -q x-h | wc -l | awk '{print (\$1<=4)?\"few\":\$1}'"
q docker swarm update --task-history-limit 5
