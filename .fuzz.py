import sys, random
sys.path.insert(0,'/tmp/w2/tests/integration')
import rpc, msgpack
addr=sys.argv[1]
n=rpc.Node(addr)
def t(method, **p):
    try: r=n.call(method, **p); return ('ok', str(r)[:90])
    except rpc.RpcError as e: return (e.name, e.field, str(e)[:160])
cases=[{}, {'links':1},{'links':[1]},{'links':[{}]},{'links':[{'node':9}]},{'links':[{'node':1}]},{'links':[{'node':2}]*2},{'links':[{'node':2}]*9},{'links':[{'node':2}]*10},{'links':[{'node':2}]*100000},
{'links':[{'node':2,'delay_ms':-1}]},{'links':[{'node':2,'delay_ms':60001}]},{'links':[{'node':2,'jitter_ms':1}]},{'links':[{'node':2,'rate_bytes_s':2**63}]},{'links':[{'node':2,'rate_bytes_s':2**40}]},{'links':[{'node':2,'loss_ppm':1.5}]},{'links':[{'node':2,'cut_out':1}]},
{'links':[{'node':2,'xx':1}]},{'links':[{'node':2,'\xff\x00\n':1}]},{'links':[{'node':2,'x'*5000:1}]},{'links':[{'node':2,5:1}]},{'links':[{'node':2,'delay_ms':5,'delay_ms ':5}]},
{'disk':[]},{'disk':{}},{'disk':{'slow_ms':None}},{'disk':{'error':'yes'}},{'disk':{'slow_ms':60001}},{'disk':{'q':1}},
{'clock':{}},{'clock':{'offset_us':2**63}},{'clock':{'offset_us':-2**63}},{'clock':{'drift_ppm':1000001}},{'clock':5},{'clock':{'offset_us':True}},
{'foo':1},{'links':[],'disk':{'error':True},'clock':{'drift_ppm':'x'}},{'node':1},{'links':None},{'timeout_ms':0,'links':[]},{'links':[{'node':2**64-1}]},{'links':[{'node':-1}]},{'links':[{'node':0}]}]
for c in cases: print(str(c)[:70], '->', t('fault',**c))
print(t('faults')); print(t('faults',x=1)); print(t('faults',links=[]))
print(t('spoil',account='x',delta=2**63-1)); print(t('spoil')); 
# raw: params as array, wrong types
for m in ([0,1,'fault',[]],[0,2,'fault',5],[0,3,'faults',[1]],[2,'fault',{'disk':{'error':True}}],[0,4,'fault']):
    try:
        k=rpc.Node(addr); k.socket.settimeout(2); k.socket.sendall(msgpack.packb(m)); print(m, k.receive())
    except Exception as e: print(m, type(e).__name__, str(e)[:100])
random.seed(1)
base=msgpack.packb([0,7,'fault',{'links':[{'node':2,'delay_ms':5,'jitter_ms':5,'loss_ppm':3,'cut_in':False}],'disk':{'slow_ms':0},'clock':{'offset_us':-5,'drift_ppm':1}}])
res={}
for i in range(3000):
    b=bytearray(base)
    for _ in range(random.randint(1,3)): b[random.randrange(5,len(b))]=random.randrange(256)
    try:
        k=rpc.Node(addr); k.socket.settimeout(0.05); k.socket.sendall(bytes(b)); r=k.receive(); key=r[1]['name'] if r[1] else 'ok'
    except Exception as e: key=type(e).__name__
    res[key]=res.get(key,0)+1
    k.close()
print(res)
